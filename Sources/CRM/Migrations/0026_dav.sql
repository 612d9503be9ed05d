-- SPDX-License-Identifier: Apache-2.0
-- Agendas and address books as phones and Outlook see them: collections of objects, whose bytes are kept as sent.

create extension if not exists btree_gist;

create table dav_collection (
  id bigint generated always as identity primary key,
  owner_id bigint not null references app_user,
  -- plain: files, which only tests of the protocol have
  kind text not null check (kind in ('calendar', 'addressbook', 'plain')),
  parent_id bigint references dav_collection check (parent_id is null or kind = 'plain'),
  -- its name in addresses
  slug text collate "C" not null check (slug <> '' and length(slug) <= 255),
  -- made by itself, never deleted
  is_default boolean not null default false,
  -- what calendars hold: VEVENT, VTODO, VJOURNAL
  components text[] not null default '{}',
  name text,
  color text,
  position int,
  description text,
  -- properties that only programs understand, as "{namespace}name" to the XML inside
  props jsonb not null default '{}',
  -- counts changes: what a token of synchronisation and the ctag are made of
  seq bigint not null default 0,
  -- tokens from before the last restored backup, or of another collection of this name, say nothing
  epoch bigint not null default (extract(epoch from clock_timestamp()) * 1000000)::bigint,
  -- deletions up to here are forgotten
  forgotten_seq bigint not null default 0,
  made_at timestamptz not null default now(),
  deleted_at timestamptz
);

create unique index dav_collection_path on dav_collection (owner_id, kind, coalesce(parent_id, 0), slug)
  where deleted_at is null;
create index dav_collection_parent on dav_collection (parent_id) where parent_id is not null;

-- narrow: listings of etags read this, and never a body
create table dav_object (
  id bigint generated always as identity primary key,
  collection_id bigint not null references dav_collection,
  -- its name in addresses, decoded
  name text collate "C" not null check (name <> '' and length(name) <= 255),
  -- unique in its collection only: programs move by a copy before a deletion
  uid text collate "C",
  -- VEVENT, VTODO, VJOURNAL, VCARD; empty for a file
  component text not null,
  content_type text not null,
  -- first 128 bits of the SHA-256 of the bytes, in hexadecimal
  etag text collate "C" not null,
  size int not null,
  revision int not null default 1,
  -- made by a request that wanted a new object: the same once more is that request again, whose answer got lost
  made_as_new boolean not null default false,
  -- changes with what attendees must hear of (RFC 6638, 3.2.10)
  schedule_tag text collate "C",
  props jsonb not null default '{}',
  -- the collection's count at its last change
  seq bigint not null,
  -- between these moments its occurrences are written down; null where there are no others
  occurs_from timestamptz,
  occurs_until timestamptz,
  made_at timestamptz not null default now(),
  modified_at timestamptz not null default now(),
  -- kept to be brought back; a new one may take its name and its uid
  deleted_at timestamptz
);

create unique index dav_object_name on dav_object (collection_id, name) where deleted_at is null;
create unique index dav_object_uid on dav_object (collection_id, uid) where deleted_at is null and uid is not null;
create index dav_object_seq on dav_object (collection_id, seq) where deleted_at is null;

create index dav_object_endless on dav_object (collection_id)
  where deleted_at is null and occurs_until is not null;

-- every version of an object's bytes, the current one included: what a device overwrote can be brought back
create table dav_version (
  object_id bigint not null references dav_object on delete cascade,
  revision int not null,
  etag text collate "C" not null,
  bytes bytea not null,
  at timestamptz not null default now(),
  user_id bigint,
  primary key (object_id, revision)
);

-- what happened to the names of a collection, in the order of its count
create table dav_change (
  collection_id bigint not null references dav_collection on delete cascade,
  seq bigint not null,
  name text collate "C" not null,
  op text not null check (op in ('put', 'delete')),
  at timestamptz not null default now(),
  primary key (collection_id, seq)
);

create index dav_change_at on dav_change (at);

-- when objects take place, up to some years ahead: a week is asked of this, and never of the rules of repetition
create table occurrence (
  object_id bigint not null references dav_object on delete cascade,
  collection_id bigint not null references dav_collection on delete cascade,
  during tstzrange not null,
  all_day boolean not null
);

create index occurrence_object on occurrence (object_id);
create index occurrence_during on occurrence using gist (collection_id, during);
