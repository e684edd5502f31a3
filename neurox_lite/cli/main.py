"""The command `neurox-lite`: its subcommands, its errors and its exit codes."""

from __future__ import annotations

import sys

try:
    import logging
    import os
    import signal
    import threading
    import warnings
    from collections.abc import Iterator
    from contextlib import contextmanager, suppress
    from typing import Any

    import typer

    from neurox_lite.cli import (
        ablate,
        attribute,
        compare,
        convert,
        correlate,
        demo,
        describe,
        doctor,
        extract,
        inspect,
        mask,
        probe,
        rank,
        report,
        run_job,
        steer,
    )
    from neurox_lite.cli.commands import as_function
    from neurox_lite.cli.completion import with_choices
    from neurox_lite.cli.method_options import MethodHelp
    from neurox_lite.cli.output import (
        EXIT_BAD_INPUT,
        EXIT_DONE,
        EXIT_FAILURE,
        EXIT_STOPPED,
        Settings,
    )
    from neurox_lite.embedded import documentation
    from neurox_lite.errors import InputError, UnfinishedError
    from neurox_lite.escaping import OneLineFormatter, json_line, terminal
except KeyboardInterrupt:  # in the first second
    sys.stderr.write("neurox-lite: stopped before it began; nothing was written\n")
    raise SystemExit(130) from None

# The class above all errors of the command line, which older versions of typer take from click.
ClickException: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="neurox-lite",
    help="Which neurons of a language model carry a property, and does the model use them?",
    # \b keeps the path on a line of its own.
    epilog=f"First try: neurox-lite demo\n\n\b\nThe guide: {documentation('guide.md')}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for name, command in {
    "extract": extract.Extract,
    "inspect": inspect.Inspect,
    "convert": convert.Convert,
    "probe": probe.Probe,
    "rank": rank.Rank,
    "compare": compare.Compare,
    "correlate": correlate.Correlate,
    "mask": mask.Mask,
    "ablate": ablate.Ablate,
    "attribute": attribute.Attribute,
    "describe": describe.Describe,
    "steer": steer.Steer,
    "report": report.Report,
    "run": run_job.Run,
    "demo": demo.Demo,
    "doctor": doctor.Doctor,
}.items():
    function = with_choices(name, as_function(command))
    app.command(name, cls=MethodHelp if name == "rank" else None)(function)


def _version(value: bool) -> None:
    if value:
        from neurox_lite.version import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Which neurons of a language model carry a property, and does the model use them?"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done, 1 failure, 2 bad usage or bad input, 3 finished but the result does not hold.
    """
    # Threads that spin while they wait make every fit several times slower on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    given = sys.argv[1:] if arguments is None else arguments
    settings = Settings(as_json="--json" in given)
    _log_to_stderr()
    with warnings.catch_warnings(), _interrupts() as interrupts:
        warnings.showwarning = _show_warning
        try:
            finished = app(arguments, prog_name="neurox-lite", obj=settings, standalone_mode=False)
            if interrupts and finished == EXIT_STOPPED:
                return _fail(_what_is_kept(given), EXIT_STOPPED, settings)
            return finished if isinstance(finished, int) else EXIT_DONE
        except ClickException as error:
            return _bad_usage(error, settings)
        except (Exception, KeyboardInterrupt) as error:
            if interrupts:  # a library may have made another error of it
                return _fail(_what_is_kept(given), EXIT_STOPPED, settings)
            if settings.debug:
                raise
            return _fail(*_said_of(error), settings)


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Note that Ctrl-C was pressed; the first stops the command, the second ends the process."""
    pressed: list[int] = []

    def note(signum: int, _: Any) -> None:
        pressed.append(signum)
        if len(pressed) > 1:
            os.write(2, b"neurox-lite: stopped at once\n")
            os._exit(EXIT_STOPPED)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _what_is_kept(arguments: list[str]) -> str:
    command = next((word for word in arguments if not word.startswith("-")), "")
    parts = {"extract": "shards", "run": "stages", "demo": "stages"}
    if command in parts and "--dry-run" not in arguments:
        return (
            f"stopped; the {parts[command]} that are done are kept: run the same command again to "
            "continue"
        )
    kept = "the output is as it was before"
    if command == "rank" and "all" in arguments:
        kept = "the rankings that are done are kept"
    elif "--dry-run" in arguments:
        kept = "nothing was written"
    return f"stopped; {kept}: run the same command again"


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("neurox_lite").setLevel(logging.INFO)


def _bad_usage(error: Any, settings: Settings) -> int:
    """A command, option or value that the command line does not have."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return EXIT_BAD_INPUT
    command = error.ctx.command_path if getattr(error, "ctx", None) else "neurox-lite"
    message = error.format_message().rstrip(".")
    return _fail(f"{message} ({command} --help shows how)", EXIT_BAD_INPUT, settings)


def _said_of(error: BaseException) -> tuple[str, int]:
    """The message and the exit code for an exception."""
    if isinstance(error, InputError):
        return str(error), EXIT_BAD_INPUT
    if isinstance(error, UnfinishedError):
        return str(error), EXIT_FAILURE
    if isinstance(error, OSError) and error.strerror:
        what = error.filename or "a file or the output of this command"
        return (
            f"{what}: cannot be read or written ({error.strerror}); make room or repair it, and "
            "run the same command again (--debug shows where)"
        ), EXIT_FAILURE
    message = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{message} (--debug shows where)", EXIT_FAILURE


def _fail(message: str, code: int, settings: Settings) -> int:
    """Say it in one line on stderr; with --json also as the one object on stdout."""
    typer.echo(f"neurox-lite: error: {terminal(message)}", err=True)
    if settings.as_json:
        with suppress(OSError):  # which may be what is wrong
            typer.echo(json_line({"error": message, "exit_code": code}))
    return code


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    typer.echo(f"neurox-lite: warning: {terminal(message)}", err=True)


def run() -> None:
    """Entry point of the console script."""
    code = main()
    try:
        sys.stdout.flush()
    except OSError:  # said already; Python would say it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


if __name__ == "__main__":
    run()
