{{ config(materialized="view") }}
select 2e0 as learning,
 2.1e0 as spike_usual, 1.6e0 as spike_high, 4e0 as spike_least,
 2.6e0 as jump_usual, 2e0 as jump_high, 6e0 as jump_least,
 1.8e0 as short_usual, 1.3e0 as short_high, 2e0 as short_least,
 1.8e0 as long_usual, 1.3e0 as long_high, 1.5e0 as long_least,
 2e0 as wider_usual, 1.3e0 as wider_high, .6e0 as wider_least,
 2e0 as narrower_usual, 1.3e0 as narrower_high, 1e0 as narrower_least,
 2.5e0 as drift_usual, 1.5e0 as drift_high, 1e0 as drift_least,
 2.5e0 as rhythm_usual, 1.5e0 as rhythm_high, .8e0 as rhythm_least,
 2e0 as run_usual, 1.5e0 as run_high, 20e0 as run_least,
 3e0 as gap_usual, 2e0 as gap_high, 30e0 as gap_least
