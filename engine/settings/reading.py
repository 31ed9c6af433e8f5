"""Reading settings from the environment and a YAML file, and saying what is wrong with them by name.

The file's log level wins over the environment's (founding documents); nothing else can be set in both places.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from engine.domain.errors import ConfigurationError, must
from engine.settings.model import SECRETS, VARIABLES, AgentSettings, Settings
from engine.settings.parts import RunEnvironment


def agent_settings(env: Mapping[str, str] | None = None) -> AgentSettings:
    """Return what an agent built alone needs, read from the environment now.

    Raises
    ------
    ConfigurationError
        A variable has a senseless value; the message names it.
    """
    given, names = _from_environment(AgentSettings, os.environ if env is None else env)
    return _build(AgentSettings, given, names)


def load_settings(
    config_file: str | Path | None = None, env: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings from the environment and, when one is given or named by PILOTHOUSE_CONFIG, a YAML file.

    Beside ``NAME.yaml`` an overlay ``NAME.<environment>.yaml`` merges over it, as does a top-level section that has
    the environment's name. An empty variable counts as not set.

    Raises
    ------
    ConfigurationError
        A value is unusable or a key of the file unknown; the message names it, the rule and the remedy.
    """
    given, names = _from_environment(Settings, os.environ if env is None else env)
    if config_file is not None:
        given["config_file"] = str(config_file)
    if path := given.get("config_file"):
        environment = str(given.get("environment", RunEnvironment.PRODUCTION.value)).lower()
        document = _document(Path(str(path)).expanduser(), environment)
        given |= document
        names |= {key: f"{key} in {path}" for key in document}
    return _build(Settings, given, names)


T = TypeVar("T", bound=AgentSettings)

_NAMED = "1 to 64 letters, digits, spaces, '.', '-' or '_'"


def _from_environment(
    kind: type[AgentSettings], env: Mapping[str, str]
) -> tuple[dict[str, object], dict[str, str]]:
    """Return the values given by field, and by field the name that each was given under."""
    names = {field: name for field, name in VARIABLES.items() if field in kind.model_fields}
    if "log_level" in names and env.get("FINAGENT_LOG_LEVEL"):
        names["log_level"] = "FINAGENT_LOG_LEVEL"
    return {field: env[name].strip() for field, name in names.items() if env.get(name)}, names


def _document(path: Path, environment: str) -> dict[str, object]:
    """Return the file's sections with the environment's overlays merged in."""
    base = _yaml(path)
    overlays = {each.value: base.pop(each.value, None) for each in RunEnvironment}
    beside = path.with_name(f"{path.stem}.{environment}{path.suffix}")
    merged = _merge(base, overlays.get(environment))
    merged = _merge(merged, _yaml(beside) if beside.is_file() else None)
    known = {*Settings.model_fields} - {*VARIABLES} | {"log_level"}
    for key in merged:
        if key not in known:
            raise ConfigurationError(
                f"{key} must be one of {', '.join(sorted(known))}, was an unknown key of {path}; correct or remove it"
            )
    return {key: value for key, value in merged.items() if value is not None}


def _yaml(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(
            f"PILOTHOUSE_CONFIG must name a readable YAML file, was {str(path)!r}: {error}; correct file or name"
        ) from error
    if document is not None and not isinstance(document, dict):
        raise ConfigurationError(
            f"{path} must hold sections, was {type(document).__name__}; start it with 'orchestrator:' or the like"
        )
    return {str(key): value for key, value in (document or {}).items()}


def _merge(base: dict[str, Any], over: object) -> dict[str, Any]:
    """Return `base` with `over` laid on it, section by section."""
    if not isinstance(over, dict):
        return base
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) else value
    return merged


def _build(kind: type[T], given: dict[str, object], names: dict[str, str]) -> T:
    try:
        return kind(**given)  # type: ignore[arg-type]  # validated here, that is the point
    except ValidationError as error:
        raise ConfigurationError(_explain(error.errors()[0], given, names)) from None


def _explain(error: ErrorDetails, given: dict[str, object], names: dict[str, str]) -> str:
    """Return the first broken rule in the house's wording; the value of a secret is never repeated."""
    context = error.get("ctx", {})
    if error["type"] == "broken_rule":
        name = names[context["field"]]
        return str(must(name, context["rule"], context["value"], context["remedy"]))
    path, value = _place(given, error["loc"])
    field, _, where = names[path[0]].partition(" in ")
    name = ".".join((field, *path[1:]))
    if error["type"] == "extra_forbidden":
        return (
            f"{name} must be a known key, was not (in {where}); correct its spelling or remove it"
        )
    if error["loc"][-1] == "[key]":
        return str(must(name, f"have a name of {_NAMED}", error["input"], f"rename it in {where}"))
    rule = error["msg"].removeprefix("Input should ")
    rule = rule if error["type"] == "enum" else rule.partition(",")[0]
    shown = "a secret" if path[0] in SECRETS else f"{value!r:.80}"
    remedy = (
        f"correct it in {where}" if where else "correct the variable, or unset it for the default"
    )
    return f"{name} must {rule}, was {shown}; {remedy}"


def _place(given: object, loc: tuple[int | str, ...]) -> tuple[tuple[str, ...], object]:
    """Return the path of `loc` as far as it exists in what was given, and the value there."""
    path: list[str] = []
    for part in loc:
        if not isinstance(given, dict) or part not in given:
            break
        path.append(str(part))
        given = given[part]
    return tuple(path), given
