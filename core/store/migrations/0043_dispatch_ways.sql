-- expand
-- By what a notice came to a notifier: quiet hours and the mute of a route hold back what came by
-- nothing else.
alter table dispatch add column ways text[];
comment on column dispatch.ways is
    'by what it came: each a route, or route/person; null: by the routes that the settings name';
