update messages set digest = null where deleted_at is not null and digest is not null;
