{#
    Condition on a time, by which the engine leaves out whole files: without it, it would read all of history. `starts`:
    a query that gives the starts of the spans as span_start; `hours`: their length. The times are written out, since no
    engine leaves out files by an expression on their columns, or by what it finds in another table. Where there are so
    many spans that the statement would get long, only the first and the last moment are.
#}
{% macro within_spans(column, starts, hours) -%}
    {%- set spans = [] -%}
    {%- if execute -%}
        {%- set length = modules.datetime.timedelta(hours=hours) -%}
        {%- for row in run_query(
            "select cast(span_start as string) as span_start from (select distinct span_start from ("
            ~ starts ~ ") as starts) as spans order by 1"
        ).rows -%}
            {%- set start = modules.datetime.datetime.fromisoformat(row["span_start"]) -%}
            {%- if spans and start <= spans[-1][1] -%}
                {%- do spans.append([spans.pop()[0], start + length]) -%}
            {%- else -%}
                {%- do spans.append([start, start + length]) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if spans -%}
        ({{ column }} >= timestamp '{{ spans[0][0] }}' and {{ column }} < timestamp '{{ spans[-1][1] }}')
        {%- if 1 < spans | length <= 100 %}
        and (
            {%- for span in spans %}
            ({{ column }} >= timestamp '{{ span[0] }}' and {{ column }} < timestamp '{{ span[1] }}')
            {{- " or" if not loop.last }}
            {%- endfor %}
        )
        {%- endif -%}
    {%- else -%}
        {{ "false" if execute else "true" }}
    {%- endif -%}
{%- endmacro %}
