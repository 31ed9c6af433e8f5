"""Settings: the founding defaults, precedence, refusal by name, and secrets that never print."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.adapters.feeds.unfolding import MAX_SPEED, MIN_SPEED
from engine.domain.errors import ConfigurationError
from engine.settings import VARIABLES, Settings, agent_settings, default_home, load_settings
from engine.settings.model import is_checkout
from engine.settings.parts import TradingMode

TEMPLATE = """
orchestrator:
  host: "0.0.0.0"
  port: 9000
  max_concurrent_tasks: 100
  enable_rl: true
  enable_sandbox: true
agent_pools:
  data_agent_pool: {url: "http://localhost:8001", enabled: true}
rl_engine: {algorithm: "TD3", learning_rate: 0.0003, buffer_size: 1000000}
sandbox: {initial_capital: 1000000, commission_rate: 0.001, data_start_date: "2020-01-01"}
strategies:
  momentum:
    enabled: true
    weight: 0.4
    params: {momentum_period: 10, momentum_threshold: 0.02}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "pilothouse.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    return path


def test_an_empty_environment_gives_the_founding_defaults() -> None:
    settings = load_settings(env={})
    assert settings.trading_mode is TradingMode.PAPER
    assert (settings.max_position_size, settings.max_daily_loss) == (0.1, 0.05)
    assert (settings.var_confidence, settings.risk_per_trade) == (0.95, 0.02)
    assert (settings.mc_paths, settings.mc_steps, settings.log_level.value) == (1000, 50, "INFO")
    assert (settings.host, settings.port, settings.use_testnet) == ("127.0.0.1", 8050, True)
    assert (settings.feed.value, settings.start.isoformat()) == ("replay", "2008-09-02")
    engine, pool, scheduler = settings.execution_engine, settings.resource_pool, settings.scheduler
    assert (engine.max_concurrent_tasks, engine.task_timeout_multiplier) == (20, 1.5)
    assert (pool.http_pool_size, pool.cache_ttl) == (30, 120)
    assert (scheduler.market_weight, scheduler.performance_weight, scheduler.system_weight) == (
        0.5, 0.3, 0.2,
    )  # fmt: skip
    assert (settings.sandbox.initial_capital, settings.sandbox.commission_rate) == (1e6, 0.001)
    assert (settings.orchestrator.port, settings.orchestrator.max_concurrent_tasks) == (9000, 100)


def test_the_founding_template_loads(template: Path) -> None:
    settings = load_settings(template, env={})
    momentum = settings.strategies["momentum"]
    assert (momentum.weight, momentum.params["momentum_period"]) == (0.4, 10)
    assert settings.agent_pools["data_agent_pool"].url == "http://localhost:8001"
    assert load_settings(env={"PILOTHOUSE_CONFIG": str(template)}) == settings


@pytest.mark.parametrize("spelling", ["paper", "paper_trading", "PAPER"])
def test_both_spellings_of_paper_mean_paper(spelling: str) -> None:
    assert load_settings(env={"TRADING_MODE": spelling}).trading_mode is TradingMode.PAPER


def test_live_needs_the_keys_of_the_venue() -> None:
    keys = {"BINANCE_API_KEY": "k", "BINANCE_SECRET_KEY": "s"}
    assert load_settings(env={"TRADING_MODE": "live", **keys}).trading_mode is TradingMode.LIVE
    with pytest.raises(ConfigurationError, match=r"TRADING_MODE must .* BINANCE_SECRET_KEY"):
        load_settings(env={"TRADING_MODE": "live", "BINANCE_API_KEY": "k"})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TRADING_MODE", "real"),
        ("USE_TESTNET", "perhaps"),
        ("MAX_POSITION_SIZE", "nan"),
        ("MAX_POSITION_SIZE", "1.5"),
        ("MAX_DAILY_LOSS", "-0.1"),
        ("VAR_CONFIDENCE", "95"),
        ("RISK_PER_TRADE", "0"),
        ("MC_PATHS", "abc"),
        ("MC_PATHS", "0"),
        ("MC_STEPS", "1e3x"),
        ("LOG_LEVEL", "loud"),
        ("FINAGENT_LOG_LEVEL", "loud"),
        ("FINAGENT_ENV", "staging"),
        ("PILOTHOUSE_PORT", "tcp://10.0.0.1:80"),
        ("PILOTHOUSE_PORT", "65536"),
        ("PILOTHOUSE_HOST", "0.0.0.0"),  # noqa: S104 -- it is refused, that is the test
        ("PILOTHOUSE_PASSWORD_FILE", "/no/such/file"),
        ("PILOTHOUSE_FEED", "exchange"),
        ("PILOTHOUSE_SEED", "-1"),
        ("PILOTHOUSE_SPEED", "inf"),
        ("PILOTHOUSE_START", "soon"),
        ("PILOTHOUSE_CONFIG", "/no/such/file.yaml"),
    ],
)
def test_a_senseless_value_is_refused_with_variable_rule_and_remedy(
    variable: str, value: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{variable} must .*, was .*; .+"):
        load_settings(env={variable: value})


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("orchestrator: {port: loud}", "orchestrator.port"),
        ("orchestrator: {prot: 9000}", "orchestrator.prot"),
        ("strategies: {momentum: {weight: -1}}", "strategies.momentum.weight"),
        ("strategies: {momentum: {params: {period: [1]}}}", "strategies.momentum.params.period"),
        ("sandbox: {data_start_date: never}", "sandbox.data_start_date"),
        ("limits: {max_drawdown: 2}", "limits.max_drawdown"),
        ("orchestrator: 5", "orchestrator"),
        ("orchestra: {}", "orchestra"),
        ("binance_api_key: abc", "binance_api_key"),
        ("log_level: loud", "log_level"),
    ],
)
def test_a_bad_key_of_the_file_is_refused_by_its_path(tmp_path: Path, text: str, path: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=rf"^{path} must .*bad\.yaml"):
        load_settings(file, env={})


def test_an_agent_with_an_impossible_name_is_refused_in_the_projects_words(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("agents: {'a/b<c>': {use: 'm:C'}}", encoding="utf-8")
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(file, {})
    assert str(refusal.value) == (
        "agents.a/b<c> must have a name of 1 to 64 letters, digits, spaces, '.', '-' or '_', "
        f"was 'a/b<c>'; rename it in {file}"
    )


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [", "\x00"])
def test_a_file_that_is_no_yaml_mapping_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"bad\.yaml"):
        load_settings(file, env={})


def test_the_environments_overlays_merge_over_the_file(tmp_path: Path) -> None:
    base = tmp_path / "p.yaml"
    base.write_text(
        "orchestrator: {port: 9001, replicas: 2}\n"
        "production: {orchestrator: {replicas: 3}}\n"
        "development: {orchestrator: {replicas: 1}}\n",
        encoding="utf-8",
    )
    (tmp_path / "p.development.yaml").write_text(
        "orchestrator: {max_concurrent_tasks: 7}", encoding="utf-8"
    )
    development = load_settings(base, env={"FINAGENT_ENV": "development"}).orchestrator
    production = load_settings(base, env={}).orchestrator
    assert (development.replicas, development.max_concurrent_tasks, development.port) == (
        1,
        7,
        9001,
    )
    assert (production.replicas, production.max_concurrent_tasks, production.port) == (3, 100, 9001)


def test_the_log_level_comes_from_file_then_finagent_then_plain(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("log_level: debug", encoding="utf-8")
    both = {"LOG_LEVEL": "ERROR", "FINAGENT_LOG_LEVEL": "WARNING"}
    assert load_settings(file, env=both).log_level.value == "DEBUG"
    assert load_settings(env=both).log_level.value == "WARNING"
    assert load_settings(env={"LOG_LEVEL": "error"}).log_level.value == "ERROR"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings(env={"PILOTHOUSE_PORT": "", "MC_PATHS": ""}) == load_settings(env={})


@pytest.mark.parametrize("field", [f for f in VARIABLES if f.endswith("_key")] + ["database_url"])
def test_secrets_never_print(field: str) -> None:
    canary = "canary-8d1c" if field != "database_url" else "postgresql://me:canary-8d1c@host/name"
    settings = load_settings(env={VARIABLES[field]: canary})
    assert getattr(settings, field).get_secret_value() == canary, "control: it was taken"
    for text in (repr(settings), str(settings), settings.model_dump_json(), settings.config_hash()):
        assert "canary" not in text


def test_the_configuration_hash_sees_what_influences_a_run_and_nothing_else() -> None:
    base = load_settings(env={}).config_hash()
    without_influence = {
        "OPENAI_API_KEY": "x", "PILOTHOUSE_HOME": "/elsewhere", "PILOTHOUSE_PORT": "9999", "LOG_LEVEL": "DEBUG",
        "PILOTHOUSE_HOST": "localhost", "PILOTHOUSE_DATABASE_URL": "postgresql://u:p@h/d",
    }  # fmt: skip
    assert load_settings(env=without_influence).config_hash() == base
    for change in ({"MC_PATHS": "999"}, {"PILOTHOUSE_SEED": "2"}, {"PILOTHOUSE_FEED": "synthetic"}):
        assert load_settings(env=change).config_hash() != base


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]


def test_home_is_beside_the_checkout_wherever_a_library_call_comes_from(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PILOTHOUSE_HOME"}
    answer = subprocess.run(
        [sys.executable, "-c", "from engine.settings import load_settings as l; print(l().home)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert answer.stdout.strip() == str(default_home())
    assert default_home() == Path(__file__).parents[1] / "data"


def test_an_agent_built_alone_reads_the_environment_at_that_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MC_PATHS", "321")
    assert agent_settings().mc_paths == 321
    monkeypatch.setenv("MC_PATHS", "12")
    assert agent_settings().mc_paths == 12
    monkeypatch.setenv("MC_PATHS", "-5")
    with pytest.raises(ValueError, match="MC_PATHS"):
        agent_settings()


def test_a_password_file_allows_a_public_address(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("x", encoding="utf-8")
    env = {"PILOTHOUSE_HOST": "192.0.2.1", "PILOTHOUSE_PASSWORD_FILE": str(secret)}
    assert load_settings(env=env).host == "192.0.2.1"


def test_the_lists_are_split_at_commas() -> None:
    assert load_settings(env={"PILOTHOUSE_SYMBOLS": "AAPL, IBM,"}).symbols == ("AAPL", "IBM")


def test_the_manual_lists_every_variable() -> None:
    manual = (Path(__file__).parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")
    names = {*VARIABLES.values(), "FINAGENT_LOG_LEVEL"}
    assert [name for name in sorted(names) if f"`{name}`" not in manual] == []


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("MC_LEVELS", ",", "name levels from 1 to 5, each once"),
        ("MC_LEVELS", "2,1,2", "name levels from 1 to 5, each once"),
        ("PILOTHOUSE_SYMBOLS", "AAPL,IBM,AAPL", "name each symbol once"),
        ("PILOTHOUSE_DATABASE_URL", "notaurl", "be a database URL"),
    ],
)
def test_what_would_be_read_in_a_strange_way_is_refused_by_name(
    variable: str, value: str, words: str
):
    with pytest.raises(ConfigurationError) as refused:
        load_settings(env={variable: value})
    assert str(refused.value).startswith(f"{variable} must {words}")
    assert "Tuple" not in str(refused.value)
    assert "notaurl" not in str(refused.value), "it may hold a password"


@pytest.mark.parametrize("host", ["LOCALHOST", "127.0.0.2", "::1"])
def test_any_address_that_only_this_machine_reaches_needs_no_password(host: str):
    assert load_settings(env={"PILOTHOUSE_HOST": host}).host == host


def test_a_folder_with_somebody_elses_pyproject_is_no_checkout(tmp_path: Path):
    assert is_checkout(Path(__file__).parents[1])
    assert not is_checkout(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "somebody-else"\n')
    assert not is_checkout(tmp_path), "installed packages may leave one in site-packages"


@pytest.mark.parametrize("speed", ["0.05", "601", "1000"])
def test_a_speed_that_no_feed_takes_is_refused_under_its_own_name(speed: str):
    with pytest.raises(ConfigurationError, match="PILOTHOUSE_SPEED must"):
        load_settings(None, {"PILOTHOUSE_SPEED": speed})


def test_the_speeds_that_are_taken_are_those_of_the_feeds():
    for speed in (MIN_SPEED, MAX_SPEED):
        assert load_settings(None, {"PILOTHOUSE_SPEED": f"{speed:g}"}).speed == speed
