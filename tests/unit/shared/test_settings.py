"""Settings from the environment and from files."""

from pathlib import Path

import pytest

from shared.settings import Settings


def test_settings_may_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text("postgresql://a:b@c/d\n")
    (tmp_path / "secret").write_text("s3cret\n")
    monkeypatch.setenv("YIWANG_DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("YIWANG_OIDC_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("YIWANG_KAFKA_CA_FILE", "/ca.pem")  # a setting of its own
    found = Settings()
    assert found.database_url == "postgresql://a:b@c/d"
    assert found.oidc_client_secret.get_secret_value() == "s3cret"
    assert found.kafka_ca_file == Path("/ca.pem")
    assert "s3cret" not in repr(found)


def test_a_file_that_is_not_there_or_not_alone_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIWANG_DATABASE_URL_FILE", str(tmp_path / "none"))
    with pytest.raises(ValueError, match="YIWANG_DATABASE_URL_FILE"):
        Settings()
    monkeypatch.setenv("YIWANG_DATABASE_URL", "postgresql://a:b@c/d")
    with pytest.raises(ValueError, match="both set"):
        Settings()
