"""Settings: where they come from, what wins, what is said of a slip."""

import pytest

from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.settings import Settings, load


def file(tmp_path, text):
    (tmp_path / "pilothouse.toml").write_text(text)
    return tmp_path


def test_without_any_the_defaults_hold(tmp_path):
    assert load(environ={}, directory=tmp_path) == Settings()


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path):
    folder = file(tmp_path, 'port = 1\nworkers = 1\nhost = "::1"\n')
    environ = {"PILOTHOUSE_PORT": "2", "PILOTHOUSE_WORKERS": "2"}
    found = load({"port": 3, "host": None}, environ, folder)
    assert (found.port, found.workers, found.host) == (3, 2, "::1")


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("prot", "port"), ("database_ulr", "database_url"), ("log_levle", "log_level")],
)
def test_an_unknown_key_names_the_nearest(tmp_path, wrong, meant):
    with pytest.raises(Invalid, match=rf"pilothouse\.toml: '{wrong}' .*Did you mean '{meant}'\?"):
        load(environ={}, directory=file(tmp_path, f"{wrong} = 1"))
    variable, right = f"PILOTHOUSE_{wrong.upper()}", f"PILOTHOUSE_{meant.upper()}"
    with pytest.raises(Invalid, match=f"{variable} .*Did you mean '{right}'"):
        load(environ={variable: "1"}, directory=tmp_path / "empty")


def test_a_key_that_is_near_none_is_told_which_there_are(tmp_path):
    with pytest.raises(
        Invalid, match="Known are: PILOTHOUSE_DATA, PILOTHOUSE_DATABASE_URL, PILOTHOUSE_HOST"
    ):
        load(environ={"PILOTHOUSE_XYZZY": "1"}, directory=tmp_path)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"PILOTHOUSE_PORT": "many"}, "Expected `int`"),
        ({"PILOTHOUSE_LOG_FORMAT": "xml"}, "log_format"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_name(tmp_path, environ, words):
    with pytest.raises(Invalid, match=words):
        load(environ=environ, directory=tmp_path)


def test_sources_in_the_environment_are_cut_at_spaces(tmp_path):
    found = load(environ={"PILOTHOUSE_SOURCES": "one two"}, directory=tmp_path)
    assert found.sources == ("one", "two")


def test_what_belongs_to_others_is_let_be(tmp_path):
    environ = {"PILOTHOUSE_CRASH_AT": "x", "PILOTHOUSE_SECRET_TOKEN": "y", "PILOT": "z"}
    assert load(environ=environ, directory=tmp_path) == Settings()


def test_a_file_named_by_the_environment_has_to_be_there(tmp_path):
    (tmp_path / "other.toml").write_text("port = 5")
    environ = {"PILOTHOUSE_CONFIG": str(tmp_path / "other.toml")}
    assert load(environ=environ, directory=tmp_path).port == 5
    with pytest.raises(Invalid, match="does not exist"):
        load(environ={"PILOTHOUSE_CONFIG": str(tmp_path / "none.toml")}, directory=tmp_path)
    assert load(environ={"PILOTHOUSE_CONFIG": ""}, directory=tmp_path) == Settings()


@pytest.mark.parametrize("text", ["port = ", "\x00", "[[[", "port = 1\nport = 2"])
def test_a_file_that_is_not_toml_is_named(tmp_path, text):
    with pytest.raises(Invalid, match=r"pilothouse\.toml: not TOML"):
        load(environ={}, directory=file(tmp_path, text))


def test_a_folder_in_place_of_the_file_is_said(tmp_path):
    (tmp_path / "pilothouse.toml").mkdir()
    with pytest.raises(Invalid, match="cannot be read"):
        load(environ={}, directory=tmp_path)


def test_without_a_database_url_the_data_folder_holds_the_database():
    assert Settings(data="here").url == "sqlite:///here/pilothouse.db"
    assert Settings(database_url="postgresql://host/name").url == "postgresql://host/name"


def test_the_address_of_the_portal_is_the_public_one_or_that_of_the_machine():
    assert Settings().home == "http://127.0.0.1:8400"
    assert Settings(host="::1", port=1).home == "http://[::1]:1"
    assert Settings(public_url="https://portal.example").home == "https://portal.example"
