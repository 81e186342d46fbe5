{#
    Condition on the wall time of test records, by which the engine leaves out whole files: without it, it would read all
    of history to find the records of a few weeks. `weeks`: a query that gives their Mondays as week_start. A production
    week ends where its last production day does, up to a day later than the calendar's. The times are written out, since
    no engine leaves out files by what it finds in another table.
#}
{% macro started_in_weeks(column, weeks) -%}
    {%- set spans = [] -%}
    {%- if execute -%}
        {%- for row in run_query(
            "select distinct cast(week_start as string) as week from (" ~ weeks ~ ") as weeks order by 1"
        ).rows -%}
            {%- set monday = modules.datetime.date.fromisoformat(row["week"]) -%}
            {%- set end = monday + modules.datetime.timedelta(days=8) -%}
            {%- if spans and monday <= spans[-1][1] -%}
                {%- do spans.append([spans.pop()[0], end]) -%}
            {%- else -%}
                {%- do spans.append([monday, end]) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if spans -%}
        {%- set outer = [spans[0][0], spans[-1][1]] -%}
        ({{ column }} >= timestamp '{{ outer[0] }} 00:00:00' and {{ column }} < timestamp '{{ outer[1] }} 00:00:00')
        {%- if spans | length > 1 %}
        and (
            {%- for span in spans %}
            ({{ column }} >= timestamp '{{ span[0] }} 00:00:00' and {{ column }} < timestamp '{{ span[1] }} 00:00:00')
            {{- " or" if not loop.last }}
            {%- endfor %}
        )
        {%- endif -%}
    {%- else -%}
        {{ "false" if execute else "true" }}
    {%- endif -%}
{%- endmacro %}
