{#
    Makes a view in one statement. dbt makes a new one beside the old, renames both and drops one: of a night with few
    records that was an eighth.
#}
{% materialization view, adapter="duckdb" %}
    {% set relation = this.incorporate(type="view") %}
    {% set existing = load_cached_relation(this) %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% if existing and not existing.is_view %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {% call statement("main") %}
        {{ get_assert_columns_equivalent(sql) if config.get("contract").enforced }}
        create or replace view {{ relation }} as ({{ sql }})
    {% endcall %}
    {% do persist_docs(relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({"relations": [relation]}) }}
{% endmaterialization %}
