-- no-transaction
-- expand
-- A thread is found by its orders and by its buyer, whatever became of it; and what was answered is
-- found by when that was. Of a name the index holds the first five letters of each word, and no more:
-- PostgreSQL keeps the words of such an index when the rows are gone, and nobody who was erased is to
-- be read out of it. Punctuation counts nowhere; of accents and of capital letters nothing is kept.
create index concurrently if not exists thread_sought on thread using gin (
    array_to_tsvector(array_remove(array_remove(array[
        lower(translate(left(order_ids[1], 60), '-#/. _', '')),
        lower(translate(left(order_ids[2], 60), '-#/. _', '')),
        lower(translate(left(order_ids[3], 60), '-#/. _', '')),
        lower(translate(left(order_ids[4], 60), '-#/. _', '')),
        lower(translate(left(order_ids[5], 60), '-#/. _', '')),
        lower(translate(left(order_ids[6], 60), '-#/. _', '')),
        lower(translate(left(order_ids[7], 60), '-#/. _', '')),
        lower(translate(left(order_ids[8], 60), '-#/. _', ''))
    ], null), '')),
    array_to_tsvector(array_remove(string_to_array(regexp_replace(
        lower(regexp_replace(normalize(left(buyer, 200), nfkd), '[\u0300-\u036f]+', '', 'g')),
        '[\s.,:@_+()/''"-]*([^\s.,:@_+()/''"-]{1,5})[^\s.,:@_+()/''"-]*[\s.,:@_+()/''"-]*', ' \1', 'g'
    ), ' '), ''))
) with (fastupdate = on, gin_pending_list_limit = 512) where erased_at is null
