-- What the time of a machine can be: one row per bucket, with its name in ISO 22400-2 and the group of time that it
-- counts as unless the plant says otherwise (int_time_bucket).
with

buckets (bucket, iso_name, time_group, is_loss, loss_class, description) as (
    values
    ('production', 'actual production time', 'APT', false, null, 'The machine makes units.'),
    (
        'performance_stop', 'actual production time', 'APT', true, 'performance',
        'A gap between cycles that is too short to be a stop of its own: lost, but within production.'
    ),
    ('retest', 'actual production time', 'APT', true, 'quality', 'Only units tested before are being tested.'),
    (
        'unplanned_production', 'actual production time', 'APT', false, null,
        'Production outside planned busy time: in a break, in planned maintenance or where no shift is.'
    ),
    ('setup', 'actual unit setup time', 'AUST', true, 'setup', 'The machine is set up for the incoming product.'),
    ('malfunction', 'actual unit delay time', 'ADET', true, 'availability', 'The machine is broken or being repaired.'),
    ('minor_stop', 'actual unit delay time', 'ADET', true, 'availability', 'A short stop.'),
    ('interruption', 'actual unit delay time', 'ADET', true, 'availability', 'Any other stop during an order.'),
    ('starved', 'actual unit down time', 'ADOT', true, 'organisation', 'Nothing comes from the machine before.'),
    ('blocked', 'actual unit down time', 'ADOT', true, 'organisation', 'The machine after takes nothing.'),
    ('no_operator', 'actual unit down time', 'ADOT', true, 'organisation', 'Nobody is there to run it.'),
    ('no_material', 'actual unit down time', 'ADOT', true, 'organisation', 'Material is missing.'),
    ('no_order', 'actual unit down time', 'ADOT', true, 'organisation', 'There is nothing to make.'),
    ('idle', 'actual unit down time', 'ADOT', true, 'organisation', 'The machine could run and does not.'),
    ('late_start', 'actual unit down time', 'ADOT', true, 'organisation', 'Scheduled time before the first part.'),
    ('early_end', 'actual unit down time', 'ADOT', true, 'organisation', 'Scheduled time after the last part.'),
    ('break', 'planned down time', 'planned_downtime', false, null, 'A planned break.'),
    ('planned_maintenance', 'planned down time', 'planned_downtime', false, null, 'Planned maintenance, calibration.'),
    ('planned_stop', 'planned down time', 'planned_downtime', false, null, 'Any other planned stop.'),
    ('unscheduled', 'unscheduled time', 'unscheduled', false, null, 'No shift is scheduled.'),
    ('holiday', 'unscheduled time', 'unscheduled', false, null, 'A holiday.'),
    ('closed', 'unscheduled time', 'unscheduled', false, null, 'The line is closed.'),
    ('no_data', null, 'no_data', false, null, 'Nothing is known of the machine.')
)

select * from buckets
