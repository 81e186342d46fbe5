{# A list of texts as SQL literals: 'a', 'b'. #}
{% macro quoted(texts) -%}
    {%- for text in texts -%}'{{ text | replace("'", "''") }}'{{ ", " if not loop.last }}{%- endfor -%}
{%- endmacro %}
