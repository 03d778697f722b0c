-- expand
-- The queue of all accounts, by whatever people filter it: one index in the order in which it is
-- shown, that holds what is asked for beside it. So a view that shows few of a million clocks walks
-- through the index alone, and one that shows many stops at the first of them.
alter table clock add column kind text, add column language text;
comment on column clock.kind is 'the kind of its thread when the clock was last written; null: written by an older version, and kinds.fill finds it';
comment on column clock.language is 'of a running clock: in which language the buyer wrote last, as far as it is known';
create index clock_board on clock (due_at, id, account, promise, kind, language, (steps[1]), (case when cardinality(steps) > 2 then steps[cardinality(steps) - 1] else 'infinity' end))
    where ended is null and not history and steps <> '{}';
comment on index clock_board is 'board.lines: running clocks by deadline, and by account, promise, kind, language and band';
