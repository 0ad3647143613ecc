"""Records -> summary -> page: one offline HTML file on a study and its ablation. No torch, no ray."""

from pokeopt.report.render import render_html
from pokeopt.report.summarise import summarise
from pokeopt.report.summary import Summary
from pokeopt.report.write import write_report

__all__ = ["Summary", "render_html", "summarise", "write_report"]
