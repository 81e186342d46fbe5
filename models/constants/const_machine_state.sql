-- What common words for a machine's state mean. A plant's machine_states.csv adds to them and wins over them.
with

words (state, bucket) as (
    values
    ('run', 'production'),
    ('running', 'production'),
    ('producing', 'production'),
    ('production', 'production'),
    ('setup', 'setup'),
    ('changeover', 'setup'),
    ('down', 'malfunction'),
    ('fault', 'malfunction'),
    ('failure', 'malfunction'),
    ('broken', 'malfunction'),
    ('minor stop', 'minor_stop'),
    ('minor_stop', 'minor_stop'),
    ('starved', 'starved'),
    ('blocked', 'blocked'),
    ('no operator', 'no_operator'),
    ('no_operator', 'no_operator'),
    ('no material', 'no_material'),
    ('no_material', 'no_material'),
    ('no order', 'no_order'),
    ('no_order', 'no_order'),
    ('idle', 'idle'),
    ('off', 'idle'),
    ('planned maintenance', 'planned_maintenance'),
    ('planned_maintenance', 'planned_maintenance'),
    ('break', 'break'),
    ('pause', 'break')
)

select * from words
