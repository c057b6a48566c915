"""Files, their content on disk, and what they are attached to."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create schema if not exists files;

        -- One row for each distinct sequence of bytes on disk: var/files/ab/cd/abcd….
        create table files.content (
            sha256 text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
            bytes bigint not null,
            stored timestamptz not null
        );

        -- `loose_since`: since when nothing refers to it; the sweep removes it after a while.
        create table files.file (
            id uuid primary key,
            name text not null,
            media_type text not null,
            bytes bigint not null,
            width int,
            height int,
            state text not null check (state in ('ready', 'quarantined')),
            scan text not null check (scan in ('not_scanned', 'clean', 'infected')),
            threat text not null default '',
            evidence boolean not null default false,
            owner uuid,
            created timestamptz not null,
            loose_since timestamptz
        );
        create index file_owner on files.file (owner);
        create index file_loose on files.file (loose_since) where loose_since is not null;

        -- What is kept of a file: what is served, its thumbnails, the sealed original.
        create table files.rendition (
            file uuid not null references files.file on delete cascade,
            kind text not null
                check (kind in ('content', 'small', 'large', 'original', 'quarantined')),
            sha256 text not null references files.content,
            media_type text not null,
            primary key (file, kind)
        );
        create index rendition_content on files.rendition (sha256);

        -- Seen by whoever may see the object; both of its columns are text: files know no room.
        create table files.attachment (
            id uuid primary key,
            file uuid not null references files.file,
            object_type text not null,
            object_id text not null,
            caption text not null default '',
            position int not null,
            created timestamptz not null,
            created_by uuid,
            unique (object_type, object_id, file)
        );
        create index attachment_file on files.attachment (file);

        -- What a person ("user:<id>") and the installation ("all", distinct content) hold.
        create table files.usage (
            holder text primary key,
            bytes bigint not null,
            files bigint not null
        );
        """
    )
