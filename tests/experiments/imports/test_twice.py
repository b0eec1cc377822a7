"""Published files are imported once, under whatever name they come."""

import pytest

from tests.experiments.imports.test_murray2015_shapes import end, file, header, rows
from yoked.experiments.imports.murray2015 import import_murray2015
from yoked.experiments.store.sqlite import open_store


def n_sessions(db_path):
    store = open_store(db_path, to_read=True)
    try:
        return len(store.sessions())
    finally:
        store.close()


@pytest.mark.parametrize("name", ["experiment2_subject30.txt", "copy.txt"])
def test_a_published_file_is_imported_once(tmp_path, db_path, name):
    text = header(1) + rows(500) + end(2)
    first = import_murray2015(file(tmp_path, text), db_path, allow_unpublished=True)
    for copy in (text, text.replace("\n", "\r\n"), text.replace("0.512", "0.600")):
        path = file(tmp_path, copy, name)
        with pytest.raises(
            ValueError,
            match=rf"must be new .* those of session {first}( of \S+)? again",
        ):
            import_murray2015(path, db_path, allow_unpublished=True)
    assert n_sessions(db_path) == 1
    other = text.replace("\t0.512", "\t0.512", 1).replace(rows(500), rows(500, seed=2))
    import_murray2015(file(tmp_path, other), db_path)
    assert n_sessions(db_path) == 2
