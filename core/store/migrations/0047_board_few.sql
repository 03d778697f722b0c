-- expand
-- What few of a million clocks have is found at once, where the index in the order of the queue would
-- be walked to its end. Many rows share a value, so that it takes some eight bytes a clock.
create index clock_few on clock (account, promise, kind, language)
    where ended is null and not history and steps <> '{}';
comment on index clock_few is 'board.lines: the running clocks of an account, promise, kind or language that has few';
