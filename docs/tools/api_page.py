"""One page of the API reference, from the docstrings and signatures of one module. Nothing is imported for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import griffe

OUR_PACKAGES = ("sdk",)


@dataclass(frozen=True, slots=True)
class Page:
    """Which module a page describes, and where it stands."""

    module: str
    file: str
    title: str


def render(page: Page, loader: griffe.GriffeLoader) -> str:
    """Return the page as Markdown.

    Raises:
        LookupError: a public name cannot be found in the source, or has no docstring.
    """
    module = loader.load(page.module)
    loader.resolve_aliases(external=False)
    names = [name.strip("'\"") for name in map(str, module.exports or ())]
    if not names:
        raise LookupError(f"{page.module} has no __all__, so it has no public names to describe")
    parts = [
        f"# {page.title}",
        f"<!-- Written by `make docs` from the docstrings of `{page.module}`; changes here are lost. -->",
        _docstring(module),
    ]
    for name in sorted(names, key=str.lower):
        parts.append(_entry(page.module, name, module))
    return "\n\n".join(part for part in parts if part) + "\n"


def _entry(module_name: str, name: str, module: griffe.Object | griffe.Alias) -> str:
    found = module.members.get(name)
    target = found.final_target if isinstance(found, griffe.Alias) else found
    if target is None:
        raise LookupError(f"{module_name}.{name} is public, but is nowhere in the source")
    if not target.docstring:
        raise LookupError(f"{module_name}.{name} is public and has no docstring ({target.relative_filepath})")
    heading = f"## `{name}`"
    origin = f"`from {module_name} import {name}`"
    match target:
        case griffe.Class():
            return "\n\n".join([heading, origin, _docstring(target), *_members(target)])
        case griffe.Function():
            return "\n\n".join([heading, origin, _code(_signature(target)), _docstring(target)])
        case griffe.Attribute():
            return "\n\n".join([heading, origin, _code(_attribute(target)), _docstring(target)])
        case _:
            raise LookupError(f"{module_name}.{name} is a {target.kind.value}, which this page cannot show")


def _members(owner: griffe.Class) -> Iterator[str]:
    shown = [member for member in _public(owner) if not _is_enum_member(owner, member)]
    values = [member for member in _public(owner) if _is_enum_member(owner, member)]
    if values:
        yield "Values: " + ", ".join(f"`{value.name}`" for value in values)
    fields = [member for member in shown if isinstance(member, griffe.Attribute)]
    if fields:
        yield "\n".join(_field(field) for field in fields)
    for member in shown:
        if isinstance(member, griffe.Function):
            yield f"### `{owner.name}.{member.name}`"
            yield _code(_signature(member))
            if member.docstring:
                yield _docstring(member)


def _public(owner: griffe.Class) -> list[griffe.Object]:
    """Own members in the order of the source, then what bases of ours add."""
    own = [member for member in owner.members.values() if not member.name.startswith("_")]
    inherited = [
        member
        for member in owner.inherited_members.values()
        if not member.name.startswith("_") and member.final_target.path.startswith(OUR_PACKAGES)
    ]
    targets = (
        member.final_target if isinstance(member, griffe.Alias) else member for member in (*own, *inherited)
    )
    return [target for target in targets if target.name != "model_config" and not _is_validator(target)]


def _is_validator(member: griffe.Object) -> bool:
    """Whether pydantic calls it, and nobody else."""
    return isinstance(member, griffe.Function) and any(
        "validator" in str(decorator.value) or "serializer" in str(decorator.value)
        for decorator in member.decorators
    )


def _is_enum_member(owner: griffe.Class, member: griffe.Object) -> bool:
    bases = {str(base).rpartition(".")[2] for base in owner.bases}
    return bool(bases & {"Enum", "StrEnum", "IntEnum"}) and isinstance(member, griffe.Attribute)


def _field(field: griffe.Attribute) -> str:
    text = " ".join(field.docstring.value.split()) if field.docstring else ""
    return f"- `{_attribute(field)}`" + (f": {text}" if text else "")


def _attribute(attribute: griffe.Attribute) -> str:
    annotation = f": {attribute.annotation}" if attribute.annotation else ""
    if "property" in attribute.labels or attribute.value is None:
        return attribute.name + annotation
    value = _default(attribute.value)
    if value is None:
        return attribute.name + annotation
    return f"{attribute.name}{annotation} = {value if len(value) <= 60 else '…'}"


def _default(value: str | griffe.Expr) -> str | None:
    """What an author leaves out: of `Field(default=3, …)` only the 3."""
    if isinstance(value, griffe.ExprCall) and str(value.function) in {"Field", "field"}:
        defaults = [part for part in value.arguments if isinstance(part, griffe.ExprKeyword)]
        return next((str(part.value) for part in defaults if part.name == "default"), None)
    return str(value)


def _signature(function: griffe.Function) -> str:
    prefix = "async def" if "async" in function.labels else "def"
    shown: list[str] = []
    keyword_only = False
    for parameter in function.parameters:
        if parameter.name in {"self", "cls"} and isinstance(function.parent, griffe.Class):
            continue
        kind = parameter.kind
        if kind is griffe.ParameterKind.keyword_only and not keyword_only:
            keyword_only = True
            if not any(part.startswith("*") for part in shown):
                shown.append("*")
        shown.append(_parameter(parameter))
    returns = f" -> {function.returns}" if function.returns else ""
    line = f"{prefix} {function.name}({', '.join(shown)}){returns}"
    if len(line) <= 100:
        return line
    inner = "".join(f"    {part},\n" for part in shown)
    return f"{prefix} {function.name}(\n{inner}){returns}"


def _parameter(parameter: griffe.Parameter) -> str:
    stars = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}
    text = stars.get(parameter.kind, "") if parameter.kind else ""
    text += parameter.name
    if parameter.annotation:
        text += f": {parameter.annotation}"
    if parameter.default is not None and parameter.kind not in stars:
        text += f" = {parameter.default}" if parameter.annotation else f"={parameter.default}"
    return text


def _docstring(owner: griffe.Object | griffe.Alias) -> str:
    return owner.docstring.value if owner.docstring else ""


def _code(text: str) -> str:
    return f"```python\n{text}\n```"
