"""Where a model's declared secrets are in the JSON from which it is read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import InitVar, dataclass, replace
from typing import Any, TypeVar, get_args, get_origin

from pydantic import AliasGenerator, BaseModel, RootModel, Secret, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from sdk.parsing.fields import ANY, Path, places_of, places_of_alias
from sdk.parsing.typeforms import alternatives, items_of_list, unwrap, values_of_mapping
from sdk.records import class_of, hints_of, is_named_tuple, is_record, mentioned
from sdk.sensitive import marked_fields

MAX_PATH_LENGTH = 20
MAX_PATHS = 500

# Classes that contain each other have more paths than anybody could follow.
_MOST_STEPS = 10_000

# What a TypedDict says about a key besides its type. By name: before Python 3.13 `typing` does not know the last one.
_QUALIFIERS = ("Required", "NotRequired", "ReadOnly")


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place in the JSON, and what is read from it."""

    annotation: Any
    at: Path
    outer: tuple[type[Any], ...] = ()
    """The classes around it."""
    is_secret: bool = False


def sensitive_paths(model: type[BaseModel]) -> tuple[Path, ...]:
    """The paths of all fields that are marked `SENSITIVE` or are pydantic secrets, by the keys in the JSON.

    At most `MAX_PATHS`. A class that contains itself is followed until a class would come twice on one path. If nobody
    can know whether something is secret, it counts as secret.
    """
    found: dict[Path, None] = {}
    todo = [_Spot(model, ())]
    steps = 0
    while todo and len(found) < MAX_PATHS:
        spot = todo.pop()
        steps += 1
        if spot.is_secret or steps > _MOST_STEPS:
            found[spot.at[:MAX_PATH_LENGTH]] = None
        elif len(spot.at) < MAX_PATH_LENGTH:
            todo.extend(reversed([*_inside(spot)]))
    return tuple(found)


def _inside(spot: _Spot) -> Iterator[_Spot]:
    for member in alternatives(spot.annotation):
        kind = class_of(member)
        if kind is None or kind in spot.outer:
            continue
        if issubclass(kind, SecretStr | SecretBytes | Secret):
            yield replace(spot, is_secret=True)
        elif issubclass(kind, BaseModel):
            yield from _of_model(kind, spot)
        elif is_record(kind):
            yield from _of_record(kind, get_args(member), spot)
    for inner in (*items_of_list(spot.annotation), *values_of_mapping(spot.annotation)):
        yield _Spot(inner, (*spot.at, ANY), spot.outer)


def _of_model(model: type[BaseModel], spot: _Spot) -> Iterator[_Spot]:
    marked, outer = marked_fields(model), (*spot.outer, model)
    for name, field in model.model_fields.items():
        # A root model is read from the same place as its only field: there is no key between.
        places: tuple[Path, ...] = ((),) if issubclass(model, RootModel) else places_of(model, name, field)
        for place in places:
            yield _Spot(field.annotation, (*spot.at, *place), outer, name in marked)


def _of_record(record: type[Any], arguments: tuple[Any, ...], spot: _Spot) -> Iterator[_Spot]:
    hints = hints_of(record)
    if hints is None:  # nobody knows what is marked
        yield replace(spot, is_secret=True)
        return
    marked, outer = marked_fields(record), (*spot.outer, record)
    by_parameter = dict(zip(getattr(record, "__parameters__", ()), arguments, strict=False))
    for name, hint in hints.items():
        for place in _places(record, name, hint, outer):
            yield _Spot(_type_in(hint, by_parameter), (*spot.at, *place), outer, name in marked)


def _places(record: type[Any], name: str, hint: Any, outer: tuple[type[Any], ...]) -> Iterable[Path]:
    """Where a record's field may be. It rather returns too many places: only pydantic knows which alias applies."""
    if is_named_tuple(record):
        # It is read from an object or from a list. In a path, list elements have no numbers.
        return (name,), (ANY,)
    found: dict[Path, None] = {(name,): None}
    default = getattr(getattr(record, "__dataclass_fields__", {}).get(name), "default", None)
    of_pydantic = getattr(record, "__pydantic_fields__", {}).get(name)
    for note in (*mentioned(hint), default, of_pydantic):
        if isinstance(note, FieldInfo):
            found.update(dict.fromkeys(places_of_alias(note.validation_alias)))
    found.update(dict.fromkeys(_generated(name, outer)))
    return found


def _generated(name: str, kinds: tuple[type[Any], ...]) -> Iterator[Path]:
    """Where the alias generators of `kinds` put a field. A record without a generator uses the one around it."""
    for kind in kinds:
        config = getattr(kind, "model_config", None) or getattr(kind, "__pydantic_config__", None)
        generator = config.get("alias_generator") if isinstance(config, Mapping) else None
        if generator is None:
            continue
        # pydantic does not call a generator for every name, so some names may make it fail.
        with contextlib.suppress(Exception):
            if isinstance(generator, AliasGenerator):
                alias, of_validation, _ = generator.generate_aliases(name)
                yield from places_of_alias(of_validation or alias)
            else:
                yield from places_of_alias(generator(name))


def _type_in(hint: Any, by_parameter: Mapping[Any, Any]) -> Any:
    """The type in a record's hint, with the arguments of a generic record."""
    plain = unwrap(hint)
    if isinstance(plain, InitVar):
        return _type_in(plain.type, by_parameter)
    if getattr(get_origin(plain), "_name", None) in _QUALIFIERS:
        return _type_in(get_args(plain)[0], by_parameter)
    if isinstance(plain, TypeVar):
        return by_parameter.get(plain, plain)
    parameters = () if get_origin(plain) is None else getattr(plain, "__parameters__", ())
    if not parameters or not by_parameter:
        return plain
    try:
        return plain[tuple(by_parameter.get(each, each) for each in parameters)]
    except Exception:  # for kinds of parameters other than TypeVar
        return SecretStr
