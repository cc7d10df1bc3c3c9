-- no transaction
-- Searching asks `message_terms` now. Until the old version is gone, its searches read each conversation by its key.
drop index concurrently if exists messages_words
