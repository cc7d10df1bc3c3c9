-- Until when a process is scheduling the messages; null: nobody is.
alter table incoming_messages add column claimed_until timestamptz;
