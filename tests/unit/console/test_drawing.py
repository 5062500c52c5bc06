"""K3: what a template puts in is escaped and cannot turn the text around it, also where the template does nothing."""

from __future__ import annotations

from consumer.entrypoints.console.drawing import Drawing


def test_no_template_can_forget_to_clean_what_it_puts_in() -> None:
    template = Drawing()._templates.from_string('<b title="{{ text }}">{{ text }}</b>')
    drawn = template.render(text="a\u202eb\u2066c\u061cd\x00e\x1bf\ud800g<i>\"'&\nh\ti")
    inside = "a b c d e f g&lt;i&gt;&#34;&#39;&amp;\nh\ti"
    assert drawn == f'<b title="{inside}">{inside}</b>'
