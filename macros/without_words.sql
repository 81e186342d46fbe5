{# A text of words between blanks without some of the words. #}
{% macro without_words(text, words) -%}
    {{ "replace(" * words | length }}{{ text }}{% for word in words %}, ' {{ word }} ', '  '){% endfor %}
{%- endmacro %}
