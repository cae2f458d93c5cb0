"""The command line: every command, and one place where trouble becomes a message."""

import sys

import typer
from kombu.exceptions import OperationalError as BrokerDown
from sqlalchemy.exc import DBAPIError

from worker.cli import (
    admin,
    capture,
    demo,
    facts,
    flags,
    gateways,
    health,
    hold,
    imports,
    ingest,
    keys,
    merges,
    processes,
    quarantine,
    report,
    rules,
    slack,
    sources,
    sweep,
    ties,
    webhooks,
)
from worker.cli.access import database_trouble
from worker.cli.terminal import BAD_INPUT, Refused, say
from worker.rulefiles import RuleFilesRefused
from worker.running.runtime import collect_less_often
from worker.settings import SettingsError

app = typer.Typer(
    name="tiewatch",
    help="tiewatch tells a customer-success team which customer relationship is going quiet.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.run)
app.command("ingest")(ingest.run)
app.command("import")(imports.run)
app.command("sweep")(sweep.run)
app.command("facts")(facts.run)
app.command("health")(health.run)
app.command("ties")(ties.run)
app.command("flags")(flags.run)
app.command("report")(report.run)
app.add_typer(merges.accounts, name="accounts")
app.add_typer(merges.contacts, name="contacts")
app.add_typer(rules.app, name="rules")
app.add_typer(sources.app, name="sources")
slack.app.command("listen")(gateways.listen)
app.add_typer(slack.app, name="slack")
app.add_typer(webhooks.app, name="webhooks")
app.command("deliver")(sweep.deliver)
app.command("hold")(hold.run)
app.command("worker")(processes.worker)
app.command("scheduler")(processes.scheduler)
app.command("gateway")(gateways.gateway)
app.command("up")(processes.up)
app.add_typer(keys.app, name="keys")
app.add_typer(capture.app, name="capture")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(admin.db, name="db")
app.command("doctor")(admin.doctor)


def main() -> None:
    """Run the command line; what the user can put right is told in a line, with exit status 2."""
    collect_less_often()
    try:
        app()
    except (Refused, SettingsError) as error:
        say(str(error))
    except RuleFilesRefused as error:
        say("The rules cannot be used:")
        for problem in error.problems:
            say(str(problem))
    except DBAPIError as error:
        say(database_trouble(error))
    except BrokerDown as error:
        say(f"The broker does not answer: {error}. Check that it runs, and TIEWATCH_BROKER_URL.")
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stderr.close()
    else:
        return
    sys.exit(BAD_INPUT)
