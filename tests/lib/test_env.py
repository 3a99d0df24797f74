"""Settings from the environment, as they are written."""

import pytest

from contactcenter.lib import env


@pytest.mark.parametrize(
    ("written", "read"), [("secret", "secret"), ("$ecret=1,2", "$ecret=1,2"), (" secret\n", "secret"), ("", "default")]
)
def test_a_value_is_taken_as_it_is_from_the_variable_and_from_its_file(monkeypatch, tmp_path, written, read):
    monkeypatch.setenv("SOME_SECRET", written)
    assert env.text("SOME_SECRET", "default") == read
    path = tmp_path / "secret"
    path.write_text(written)
    monkeypatch.setenv("SOME_SECRET", "something else")
    monkeypatch.setenv("SOME_SECRET_FILE", str(path))
    assert env.text("SOME_SECRET", "default") == read


def test_a_list_is_separated_by_commas_with_or_without_spaces(monkeypatch):
    monkeypatch.setenv("SOME_SECRETS", "old, $new,\n")
    assert env.words("SOME_SECRETS") == ["old", "$new"]
    monkeypatch.delenv("SOME_SECRETS")
    assert env.words("SOME_SECRETS", ("a", "b")) == ["a", "b"]


def test_what_is_no_number_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("SOME_NUMBER", "many")
    with pytest.raises(ValueError, match="SOME_NUMBER is 'many'"):
        env.number("SOME_NUMBER", 5)
