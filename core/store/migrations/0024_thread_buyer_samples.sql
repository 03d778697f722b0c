-- Whose threads these are, of a buyer who is to be erased; no samples of names are taken here either.
comment on index thread_buyer is 'erased.owned: threads of an erased buyer';
alter index thread_buyer alter column 1 set statistics 0;
