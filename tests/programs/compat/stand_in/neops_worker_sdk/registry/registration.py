"""What a block declares about itself."""

from dataclasses import dataclass


@dataclass
class Registration:
    name: str
    description: str
    package: str
    run_on: str
    fb_type: str
    param_cls: type
    result_cls: type
    markdown_helptext: str = "No helptext provided"
    version: tuple[int, int, int] = (1, 0, 0)
    deprecated: bool = False
    is_idempotent: bool = False
    is_pure: bool = False
    reversible: bool = False

    @property
    def identifier(self) -> str:
        return f"{self.package}/{self.name}:{'.'.join(map(str, self.version))}"
