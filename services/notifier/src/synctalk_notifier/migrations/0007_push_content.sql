-- What a push says: the beginning of the message, until it is sent, in the language of the device.
alter table pushes add column text text;
alter table devices add column locale text;
