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
    with pytest.raises(env.RefusedError, match="SOME_NUMBER is 'many', which is no whole number: give one like 5"):
        env.number("SOME_NUMBER", 5)


@pytest.mark.parametrize("written", ["0", "-1", "11"])
def test_a_number_out_of_its_range_is_refused_by_name(monkeypatch, written):
    monkeypatch.setenv("SOME_NUMBER", written)
    with pytest.raises(env.RefusedError, match=f"SOME_NUMBER is {written}: give a number from 1 to 10"):
        env.number("SOME_NUMBER", 5, most=10)


def test_a_file_that_cannot_be_read_is_refused_by_its_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("SOME_SECRET_FILE", str(tmp_path / "none"))
    with pytest.raises(env.RefusedError, match=r"SOME_SECRET_FILE names .*none, which cannot be read \(No such file"):
        env.text("SOME_SECRET")
    (tmp_path / "none").write_bytes(b"\xff\xfe")
    with pytest.raises(env.RefusedError, match="it is no text"):
        env.text("SOME_SECRET")


def test_a_value_that_may_hold_a_password_is_refused_without_telling_it(monkeypatch):
    monkeypatch.setenv("SOME_URL", "db://user:s3cret")
    with pytest.raises(env.RefusedError) as refused:
        env.read("SOME_URL", "", int, "give a good one.")
    assert str(refused.value) == "SOME_URL cannot be used: give a good one."
    assert refused.value.__cause__ is None
    assert env.read("SOME_OTHER_URL", "5", int, "") == 5
