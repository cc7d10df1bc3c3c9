-- Who put this member into a group; null: they created it, or it is a direct conversation. Nobody is to be put into
-- groups without end, so these are counted.
alter table members add column invited_by uuid;
