-- the catalogue of data: what is said of datasets, and how good they are
CREATE TABLE ops.dataset_entries (
    dataset TEXT NOT NULL,
    owner_zh TEXT NOT NULL,
    owner_en TEXT NOT NULL,
    description_zh TEXT NOT NULL,
    description_en TEXT NOT NULL,
    licence TEXT NOT NULL,
    PRIMARY KEY (dataset)
);
CREATE TABLE ops.dataset_quality (
    dataset TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    series INTEGER NOT NULL,
    readings BIGINT NOT NULL,
    completeness DOUBLE PRECISION,
    timeliness DOUBLE PRECISION,
    validity DOUBLE PRECISION,
    newest_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (dataset, at)
);
CREATE INDEX dataset_quality_by_time ON ops.dataset_quality (at);
