import multiprocessing
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from content_sync.lock import SiteLocked, holder, lock
from content_sync.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(site=tmp_path)


def other_process(settings, lines):
    program = f"""
import os
from pathlib import Path
from content_sync.lock import holder, lock
from content_sync.settings import Settings
settings = Settings(site=Path({str(settings.site)!r}))
{textwrap.dedent(lines)}
"""
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def test_a_second_job_is_refused_and_told_who_works(settings):
    with lock(settings, "nightly"):
        done = other_process(settings, "with lock(settings, 'build'): pass")
        said = other_process(settings, "print(holder(settings))").stdout
    pattern = f"'nightly' (process {os.getpid()} on "
    assert pattern in done.stderr
    assert pattern in said
    assert "since 2" in done.stderr


def test_a_second_job_in_the_same_process_is_refused(settings):
    with lock(settings, "nightly"), pytest.raises(SiteLocked, match="'nightly'"):  # noqa: SIM117
        with lock(settings, "build"):
            pass
    with lock(settings, "build"):
        assert holder(settings).job == "build"
        assert "SiteLocked" in other_process(settings, "with lock(settings, 'x'): pass").stderr
    assert holder(settings) is None


def test_the_lock_dies_with_its_process(settings):
    done = other_process(settings, "lock(settings, 'nightly').__enter__()\nos._exit(9)")
    assert done.returncode == 9
    assert holder(settings) is None
    with lock(settings, "build"):
        assert holder(settings).pid == os.getpid()


def test_nobody_works_on_a_new_site(settings):
    assert holder(settings) is None


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="processes do not fork here"
)
def test_a_forked_worker_that_outlives_the_job_does_not_hold_the_lock(settings):
    done = other_process(
        settings,
        """
        with lock(settings, 'nightly'):
            go_on, end = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(end)
                os.read(go_on, 1)
                os._exit(0)
        with lock(settings, 'build'):
            print('locked again')
        os.close(end)
        os.waitpid(child, 0)
        """,
    )
    assert (done.returncode, done.stdout) == (0, "locked again\n"), done.stderr
