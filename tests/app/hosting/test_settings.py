"""Settings: what wins, what is refused, and that the sentence says where it stood."""

import pytest

from yoked.app.hosting.settings import Settings, read_settings

FILE = """
host = "0.0.0.0"
port = 9000
prefix = "/psych/yoked/"
trusted_proxies = ["127.0.0.1", "10.1.0.0/16", "::1"]
log_level = "warning"
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "server.toml"
    path.write_text(FILE)
    return path


def test_the_command_line_comes_before_the_environment_before_the_file(file):
    found = read_settings({"port": 1, "host": None}, file, {"YOKED_HOST": "::1"})
    assert (found.port, found.host, found.prefix) == (1, "::1", "/psych/yoked/")
    assert [str(each) for each in found.trusted_proxies] == [
        "127.0.0.1/32",
        "10.1.0.0/16",
        "::1/128",
    ]
    assert read_settings({}, file, {"YOKED_PORT": "8001"}).port == 8001
    assert read_settings({}, file, {"YOKED_PORT": ""}).port == 9000
    assert read_settings({}, None, {}) == Settings()


def test_every_setting_can_come_from_the_environment():
    found = read_settings(
        {},
        None,
        {
            "YOKED_HOST": "0.0.0.0",
            "YOKED_PORT": "80",
            "YOKED_URL": "https://lab.example.org/a",
            "YOKED_TRUSTED_PROXIES": "10.0.0.1, fd00::/8",
            "YOKED_SIGN_ON_HEADER": "X-Remote-User",
            "YOKED_LOG_LEVEL": "DEBUG",
            "YOKED_CACHE": "of something else",
        },
    )
    assert found == Settings(
        "0.0.0.0",
        80,
        "/a/",
        found.trusted_proxies,
        "https://lab.example.org/a/",
        "X-Remote-User",
        "debug",
    )


@pytest.mark.parametrize(
    ("prefix", "clean"),
    [("", "/"), ("/", "/"), ("a", "/a/"), ("/a/b", "/a/b/"), ("/a/b/", "/a/b/")],
)
def test_a_prefix_has_a_slash_at_both_ends(prefix, clean):
    assert Settings(prefix=prefix).root == clean


def test_the_prefix_is_the_path_of_the_public_address():
    assert Settings(url="https://lab.example.org/psych/yoked").root == "/psych/yoked/"
    assert Settings(url="https://lab.example.org").url == "https://lab.example.org/"
    with pytest.raises(
        ValueError, match="prefix must be the path of the url, /a/, got"
    ):
        Settings(url="https://lab.example.org/a/", prefix="/b/")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("port", "eighty", "port must be a number from 0 to 65535, got 'eighty'"),
        ("port", "70000", "port must be a number from 0 to 65535, got '70000'"),
        ("host", "a b", "host must be an address or a name of this machine, got 'a b'"),
        ("prefix", "/a b/", "prefix must be a path such as /psych/yoked/, got '/a b/'"),
        ("prefix", "/../", "prefix must be a path such as /psych/yoked/, got '/../'"),
        ("trusted_proxies", "*", "trusted_proxies must be addresses or networks, such"),
        ("trusted_proxies", "10.1.0.1/16", "10.1.0.0/16, got '10.1.0.1/16'"),
        ("url", "lab.example.org", "url must be an address such as https://lab"),
        ("url", "https://lab.example.org/?a=1", "url must be an address such as"),
        ("url", "https://[::1/", "url must be an address such as"),
        (
            "sign_on_header",
            "REMOTE_USER",
            "sign_on_header must be the name of a header",
        ),
        ("log_level", "loud", "log_level must be one of debug, info, warning, error"),
    ],
)
def test_a_mistake_is_one_sentence_that_says_where_it_stood(
    name, text, sentence, tmp_path
):
    variable = f"YOKED_{name.upper()}"
    file = tmp_path / "server.toml"
    file.write_text(f'{name} = "{text}"\n')
    for given, source in (
        (({name: text}, None, {}), f"from --{name.replace('_', '-')}"),
        (({}, None, {variable: text}), f"from {variable}"),
        (({}, file, {}), f"from {file}"),
    ):
        with pytest.raises(ValueError, match="must be") as caught:
            read_settings(*given)
        assert sentence in str(caught.value)
        assert source in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("prot = 1", "got 'prot'; did you mean 'port'"),
        ("port = 1.5", "port must be a number from 0 to 65535, got 1.5"),
        ("port = true", "port must be a number from 0 to 65535, got True"),
        ("trusted_proxies = [1]", "trusted_proxies must be addresses or networks"),
        ("trusted_proxies = 1", "trusted_proxies must be addresses or networks"),
        ("host = 1", "host must be an address or a name of this machine, got 1"),
        ("port =", "must be a TOML file: Invalid value"),
    ],
)
def test_a_mistake_in_a_file_names_the_file(tmp_path, line, sentence):
    file = tmp_path / "server.toml"
    file.write_text(line)
    with pytest.raises(ValueError, match="must be") as caught:
        read_settings({}, file, {})
    assert sentence in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_sign_on_header_is_believed_of_named_proxies_only():
    with pytest.raises(ValueError, match="given together with trusted_proxies"):
        Settings(sign_on_header="X-Remote-User")
