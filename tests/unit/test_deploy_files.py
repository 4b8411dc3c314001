"""The files a server is set up with: parsed by the real tools where they are, hardened as said."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ballast.commands import panel

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
# Alertmanager's first version that reads Telegram's token from a file.
TOKEN_FILES_SINCE = (0, 26)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_gives_up_what_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert service["pids_limit"]
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_no_port_is_open_beyond_the_host(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_only_the_bots_own_folder_can_be_written_from_a_container(name: str) -> None:
    writable = [
        mount
        for mount in SERVICES[name].get("volumes", [])
        if mount.startswith("./") and not mount.endswith(":ro")
    ]
    assert writable == (
        ["./user_data:/freqtrade/user_data"] if "env_file" in SERVICES[name] else []
    )


@pytest.mark.parametrize("name", SERVICES)
def test_python_reads_what_the_image_has_compiled(name: str) -> None:
    """
    A cache of its own is empty in every new container, and the image lets nothing be written to it:
    each process, every health check too, compiled all of Freqtrade and its libraries.
    """
    assert "PYTHONPYCACHEPREFIX" not in SERVICES[name].get("environment", {})


def test_images_are_pinned_and_keys_reach_only_the_bots() -> None:
    assert all(":" in service["image"] for service in SERVICES.values())
    assert not any(service["image"].endswith(":latest") for service in SERVICES.values())
    assert {name for name, service in SERVICES.items() if "env_file" in service} == {
        "freqtrade",
        "paper",
    }


def test_the_panel_is_asked_as_it_is_started_and_answers_the_host_alone() -> None:
    service = SERVICES["panel"]
    parser = argparse.ArgumentParser()
    panel.add_to(parser)
    options = parser.parse_args(service["command"])
    assert options.in_container
    assert service["ports"] == [f"127.0.0.1:{options.port}:{options.port}"]
    assert service["entrypoint"] == ["python", "-m", "ballast", "panel"]


def test_every_secret_of_the_example_is_empty_and_git_ignores_the_real_one() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    settings = [
        line.lstrip("#").partition("=") for line in lines if "=" in line and " " not in line
    ]
    hidden = ("PASSWORD", "KEY", "SECRET", "TOKEN")
    secrets = {name: value for name, _, value in settings if name.endswith(hidden)}
    assert {"FREQTRADE__API_SERVER__PASSWORD", "FREQTRADE__EXCHANGE__SECRET"} <= set(secrets)
    assert not any(secrets.values())
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def alertmanager(folder: Path, token: str = "", chat: str = "") -> subprocess.CompletedProcess[str]:
    """Started as its container starts it, with `echo` in its place."""
    return subprocess.run(
        ["/bin/sh", str(ROOT / "deploy" / "alertmanager.sh")],
        env={
            "PATH": "/usr/bin:/bin",
            "ALERTMANAGER": "/bin/echo",
            "BALLAST_ALERTS_DIR": str(folder),
            "TELEGRAM_TOKEN": token,
            "TELEGRAM_CHAT_ID": chat,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_alerts_go_to_telegram_by_what_the_environment_says(tmp_path: Path) -> None:
    ended = alertmanager(tmp_path, "12345:a|b&c", "-100123")
    assert (ended.returncode, ended.stderr) == (0, "")
    token, path = tmp_path / "telegram-token", tmp_path / "alertmanager.yml"
    assert token.read_text(encoding="utf-8") == "12345:a|b&c"
    assert token.stat().st_mode & 0o077 == 0
    assert "12345" not in ended.stdout + path.read_text(encoding="utf-8")
    made = yaml.safe_load(path.read_text(encoding="utf-8"))
    (receiver,) = made["receivers"]
    (telegram,) = receiver["telegram_configs"]
    assert (telegram["chat_id"], telegram["bot_token_file"]) == (-100123, str(token))
    assert f"--config.file={path}" in ended.stdout


@pytest.mark.parametrize("chat", ["12-3", "-", "my chat", "1\n  api_url: x"])
def test_a_chat_that_is_no_number_is_refused_before_anything_is_written(
    chat: str, tmp_path: Path
) -> None:
    ended = alertmanager(tmp_path, "12345:a", chat)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"FREQTRADE__TELEGRAM__CHAT_ID is no number: {chat}\n"
    assert not list(tmp_path.iterdir())


def test_every_alert_has_a_way_to_its_receiver_and_what_it_inhibits_is_there() -> None:
    made = yaml.safe_load((ROOT / "deploy" / "alertmanager.yml").read_text(encoding="utf-8"))
    groups = yaml.safe_load((ROOT / "deploy" / "rules.yml").read_text(encoding="utf-8"))["groups"]
    alerts = [rule for group in groups for rule in group["rules"]]
    routes = [made["route"], *made["route"]["routes"]]
    receivers = {receiver["name"] for receiver in made["receivers"]}
    assert {route["receiver"] for route in routes if "receiver" in route} <= receivers
    assert {rule["labels"]["severity"] for rule in alerts} == {"page", "look"}
    assert routes[1]["matchers"] == ['severity="page"']
    names = {rule["alert"] for rule in alerts}
    for rule in made["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            assert set(matcher.partition("=")[2].strip('~"').split("|")) <= names


def test_prometheus_is_told_where_its_alerts_go() -> None:
    prometheus = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text(encoding="utf-8"))
    (told,) = prometheus["alerting"]["alertmanagers"]
    assert told["static_configs"] == [{"targets": ["alertmanager:9093"]}]
    service = SERVICES["alertmanager"]
    assert service["ports"] == ["127.0.0.1:9093:9093"]
    assert service["profiles"] == SERVICES["prometheus"]["profiles"]
    mounts = [mount.split(":")[0] for mount in service["volumes"]]
    assert all((ROOT / mount).is_file() for mount in mounts)


def test_without_telegram_alerts_are_shown_and_it_is_said_that_none_is_sent(
    tmp_path: Path,
) -> None:
    ended = alertmanager(tmp_path)
    assert ended.returncode == 0
    assert ended.stderr.startswith("alerts are not sent: set FREQTRADE__TELEGRAM__TOKEN")
    assert alertmanager(tmp_path, "x", "me").returncode == 2


@pytest.mark.skipif(shutil.which("amtool") is None, reason="no amtool here: only read as YAML")
def test_alertmanager_takes_its_file(tmp_path: Path) -> None:
    alertmanager(tmp_path, "12345:abc", "-100123")
    written = tmp_path / "alertmanager.yml"
    asked = ["amtool", "--version"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60)
    version = re.search(r"version (\d+)\.(\d+)", told.stdout + told.stderr)
    assert version is not None
    if tuple(map(int, version.groups())) < TOKEN_FILES_SINCE:
        # Debian's knows no file for a token; all the rest is judged by it.
        text = written.read_text(encoding="utf-8")
        assert text.count("bot_token_file:") == 1
        written.write_text(text.replace("bot_token_file:", "bot_token:"), encoding="utf-8")
    command = ["amtool", "check-config", str(written)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_image_of_alertmanager_takes_a_token_from_a_file() -> None:
    image = re.fullmatch(r"prom/alertmanager:v(\d+)\.(\d+)\.\d+", SERVICES["alertmanager"]["image"])
    assert image is not None
    assert tuple(map(int, image.groups())) >= TOKEN_FILES_SINCE


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="no docker-compose here")
def test_compose_reads_its_file(tmp_path: Path) -> None:
    for name in ("docker-compose.yml", ".env.example"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "deploy").mkdir()
    example = (tmp_path / ".env.example").read_text(encoding="utf-8")
    (tmp_path / ".env").write_text(example.replace("PASSWORD=\n", "PASSWORD=x\n"), encoding="utf-8")
    command = ["docker-compose", "--profile", "monitoring", "--profile", "postgres"]
    command += ["--profile", "panel", "--profile", "paper", "config", "--services"]
    ended = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    assert set(ended.stdout.split()) == set(SERVICES)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_reads_the_unit() -> None:
    command = ["systemd-analyze", "verify", str(ROOT / "deploy" / "ballast.service")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
