"""From the folder of a campaign to its verdict in every form; may be done again at any time."""

from __future__ import annotations

from pathlib import Path

from holdfast.drill.campaign.checks import judge_campaign, windows
from holdfast.drill.campaign.figures import by_kind, round_figures
from holdfast.drill.campaign.rounds import read_journal, read_legs, read_rounds
from holdfast.drill.campaign.write import Outcome, write_campaign
from holdfast.drill.verdict.load import load_history
from holdfast.drill.verdict.result import Judgement
from holdfast.report.campaign import write_campaign_report


def judge_records(folder: Path) -> Judgement:
    """The verdict of what is there now, for a checkpoint."""
    journal = read_journal(folder)
    return judge_campaign(load_history(folder), read_rounds(journal), read_legs(journal))


def judge_folder(folder: Path) -> Judgement:
    """The verdict, and all files that are made from it."""
    journal = read_journal(folder)
    history, rounds, legs = load_history(folder), read_rounds(journal), read_legs(journal)
    judgement = judge_campaign(history, rounds, legs)
    figures = round_figures(windows(history, rounds))
    outcome = Outcome(history, judgement, figures, by_kind(figures), legs)
    write_campaign(folder, outcome)
    write_campaign_report(folder, outcome)
    return judgement
