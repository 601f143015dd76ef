"""A folder of another format is refused by its number, with what to do."""

import json

import pytest

import fnopt as fo
from fnopt.run.manifest import FORMAT, text_digest


@pytest.mark.parametrize("found", [4, 6, "5", None])
def test_a_folder_of_another_format_is_refused_by_name(tmp_path, found):
    asked = {"format": found, "notes": {}}
    (tmp_path / "sweep.json").write_text(json.dumps({**asked, "digest": text_digest(asked)}))
    with pytest.raises(
        ValueError, match=rf"has format {found!r}, this fnopt reads {FORMAT}: open it with the fnopt that"
    ):
        fo.open(tmp_path)
    assert FORMAT == 5
