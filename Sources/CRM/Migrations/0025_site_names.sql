-- Sites have a name and a phone of their own, which people write; claims on them are kept like those on addresses.

alter table site add column name text, add column phone text;
create index site_phone on site ((phone collate "C")) where phone is not null;
