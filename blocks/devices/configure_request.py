"""What `configure` is asked for: lines or a template, and how careful to be."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from blocks.devices.configuration_template import render
from blocks.devices.params import DeviceParams
from sdk import DeviceEntity


class ConfigureParams(DeviceParams):
    """The lines to configure, and how. Lines of a section are indented below its header, as on the device."""

    lines: list[str] | None = Field(
        default=None, max_length=10_000, description="Configuration lines; or give a `template`"
    )
    template: str | None = Field(
        default=None,
        max_length=500_000,
        description="Jinja template of the lines; it knows `variables`, and `device` with id, hostname, ip, vendor, "
        "model and facts",
    )
    variables: dict[str, Any] = Field(default_factory=dict, description="Variables of the template")
    dry_run: bool = Field(default=False, description="Only show what would change")
    confirm_seconds: float | None = Field(
        default=None,
        ge=1,
        le=7200,
        description="The device takes the change back after this time, unless a new login is possible before; "
        "takes a second session on the device",
    )
    save: bool = Field(
        default=False, description="Make the configuration the startup configuration afterwards"
    )
    require_rollback: bool = Field(
        default=True,
        description="Change nothing unless a rollback could restore the present configuration: from the inventory's "
        "`current_configuration`, or else from the startup configuration",
    )
    change_timeout_seconds: float = Field(
        default=120, ge=1, le=3600, description="For all lines together, and for taking them back"
    )

    @model_validator(mode="after")
    def _either_or(self) -> Self:
        if (self.lines is None) == (self.template is None):
            raise ValueError("give either `lines` or a `template`")
        return self

    def lines_for(self, device: DeviceEntity) -> str:
        """Return the lines for a device. Raises `TemplateFailedError` if the template can't be rendered."""
        if self.lines is not None:
            return "\n".join(self.lines)
        known = {name: getattr(device, name) for name in ("id", "hostname", "ip", "vendor", "model", "facts")}
        return render(self.template or "", {**self.variables, "device": known})
