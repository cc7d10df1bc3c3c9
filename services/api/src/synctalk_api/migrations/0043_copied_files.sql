-- Of a forwarded message: it has the bytes of another file, and nobody's space is used for it.
alter table files add column copied boolean not null default false;
