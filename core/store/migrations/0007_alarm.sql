-- What of a clock moves as it is told: beside it, in a narrow row, so that telling writes little.
-- Nobody writes clocks meanwhile. The version before asks for the column that goes, and so stops.
lock table clock in access exclusive mode;
create type alarm_kind as enum ('warning', 'breach', 'told', 'late');
create table alarm (
    clock bigint not null,
    at    timestamptz not null,
    kind  alarm_kind not null,
    step  smallint not null default 0
) with (fillfactor = 90);
comment on table alarm is
    'what the watcher does next with a clock: at this instant a warning or the breach is to be told, or, told or ended late, it is to be counted. Whoever changes a clock that has one holds it first';
comment on column alarm.step is 'the highest told or muted: it stands in the place of clock.step while there is a row';
insert into alarm (clock, at, kind, step)
select id,
       case when is_told then due_at else steps[step + 1] end,
       (case when ended = 'late' then 'late' when is_told then 'told'
             when step = cardinality(steps) - 1 then 'breach' else 'warning' end)::alarm_kind,
       step
from (select *, ended is not null or step >= cardinality(steps) as is_told from clock) as c
where not history and steps <> '{}'
  and (not is_told or (ended is null or ended = 'late')
                      and (breached_at is null or corrected_at is not null))
order by id;
alter table alarm add primary key (clock);
create index alarm_untold on alarm (at) where kind in ('warning', 'breach');
comment on index alarm_untold is 'steps.tell, steps.next_alert: whose next step has passed';
create index alarm_uncounted on alarm (at) where kind in ('told', 'late');
comment on index alarm_uncounted is
    'steps.count: breaches that are not counted yet, told ones and those that ended late while our clock was unsure';
analyze alarm;
drop index clock_alertable;
drop index clock_uncounted;
alter table clock drop column next_alert_at;
comment on column clock.step is 'the highest told or muted, where the clock has no alarm';
comment on index clock_queue is 'queue.running, clocks.running, stats.clocks: running clocks by deadline';
