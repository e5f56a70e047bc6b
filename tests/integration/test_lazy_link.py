"""scripts/lazy-link: what it lists, and what it refuses."""
import subprocess
from pathlib import Path

import pytest

LAZY_LINK = Path(__file__).resolve().parents[2] / "scripts/lazy-link"


@pytest.fixture
def build(tmp_path):
    def compile_c(name, text, *flags):
        source = tmp_path / f"{name}.c"
        source.write_text(text)
        subprocess.run(["cc", "-fPIC", *flags, str(source)], cwd=tmp_path, check=True)

    def library(name, text):
        compile_c(name, text, "-shared", f"-Wl,-soname,lib{name}.so.1", "-o", f"lib{name}.so")

    def link(program, *libraries):
        compile_c("program", program, "-c", "-o", "program.o")
        done = subprocess.run(
            [LAZY_LINK, "--output", "symbols.h", "--cc=cc", f"--cc=-B{tmp_path}", "program.o"]
            + [word for name in libraries for word in ("--library", f"{name}:{name}-package")],
            cwd=tmp_path, capture_output=True, text=True, check=False)
        lines = (tmp_path / "symbols.h").read_text().splitlines()[1:] if done.returncode == 0 else None
        return done.returncode, done.stderr, lines

    link.library = library
    return link


def test_lists_what_is_used_of_each_library(build):
    build.library("one", "int one_b(void) { return 1; } int one_a(void) { return 1; } int one_unused(void) { return 1; }")
    build.library("two", "int two(void) { return 2; } int own(void) { return 3; }")
    status, errors, lines = build(
        "int one_a(void); int one_b(void); int two(void); int own(void) { return 4; } int puts(const char *);\n"
        "int (*taken)(void) = one_b; int main(void) { return puts(\"\") + one_a() + two() + own(); }", "one", "two")
    assert (status, errors) == (0, "")
    assert lines == ['lazy_library 0, "libone.so.1", "one-package"', "lazy_function 0, one_a", "lazy_function 0, one_b",
                     "lazy_library_end", 'lazy_library 1, "libtwo.so.1", "two-package"', "lazy_function 1, two",
                     "lazy_library_end"]


def test_refuses_a_variable(build):
    build.library("one", "int counter = 1;")
    status, errors, _ = build("extern int counter; int main(void) { return counter; }", "one")
    assert status == 1
    assert "counter is a variable of" in errors


def test_refuses_a_name_in_two_libraries(build):
    build.library("one", "int same(void) { return 1; }")
    build.library("two", "int same(void) { return 2; }")
    status, errors, _ = build("int same(void); int main(void) { return same(); }", "one", "two")
    assert status == 1
    assert "same is in both" in errors


def test_a_library_that_is_not_there(build):
    status, errors, _ = build("int main(void) { return 0; }", "nowhere")
    assert status == 1
    assert "there is no libnowhere.so" in errors
