// SPDX-License-Identifier: Apache-2.0
// Reading the `source` of a mapping: what its files look like.

internal import Diagnostics
internal import Model
internal import Tabular
internal import XML
internal import YAML

extension MappingParser {
    /// What the files look like.
    mutating func source(_ tree: YAMLTree, _ target: EntitySchema?) -> SourceDefinition? {
        let keys = map(tree, .source)
        for (prefix, _, value) in keys["namespaces"]?.pairs ?? [] { namespaces[prefix] = scalar(value) }
        for (name, _, value) in keys["let"]?.pairs ?? [] { lets[name] = paths(value).first }
        fileName = pattern(keys["filename"])
        guard let kind = keys["kind"] else { return nil }
        refuseOthers(tree, kind)
        if kind.scalar == "xml" { return xmlSource(keys, at: tree.place) }
        if kind.scalar == "record" { return recordSource(keys) }
        guard let tableKind = kind.scalar.flatMap(TableSource.Kind.init(rawValue:)) else {
            unknownValue(
                kind.scalar ?? "", ["xml", "record"] + TableSource.Kind.allCases.map(\.rawValue),
                at: kind.place)
            return nil
        }
        return .table(tableSource(tableKind, tree, keys, target))
    }

    /// Keys that mean nothing for a kind of files are a misunderstanding.
    private mutating func refuseOthers(_ tree: YAMLTree, _ kind: YAMLTree) {
        let table: Set = ["kind", "filename", "encoding", "dialect", "locale", "aliases", "rows", "group_by"]
        let meant: [String: Set<String>] = [
            "xml": ["kind", "filename", "namespaces", "record", "skip", "let", "extract", "limits"],
            "record": ["kind", "filename", "stream", "skip", "let"], "csv": table.union(["group", "detail"]),
            "fixed": table, "tagged": table,
        ]
        guard let word = kind.scalar, let known = meant[word] else { return }
        for (key, place, _) in tree.pairs ?? []
        where !known.contains(key) && MappingKey.names(in: .source).contains(key) {
            fault(.sourceConflict, ["first": "kind: \(word)", "second": key], at: place)
        }
    }

    private mutating func xmlSource(_ keys: [String: YAMLTree], at place: Place) -> SourceDefinition? {
        guard let record = keys["record"] else {
            fault(.keyMissing, ["key": "record", "context": "source"], at: place)
            return nil
        }
        var source = XMLSource(
            records: paths(record).compactMap { $0.steps.count == 1 ? $0.steps[0].name : nil })
        if source.records.isEmpty { fault(.pathInvalid, ["path": record.scalar ?? ""], at: record.place) }
        let limits = keys["limits"].map { map($0, .limits) } ?? [:]
        if let depth = limits["depth"].flatMap({ size($0) }) { source.limits.depth = depth }
        if let text = limits["text"].flatMap({ size($0) }) { source.limits.text = text }
        if let record = limits["record"].flatMap({ size($0) }) { source.limits.record = record }
        source.skip = (keys["skip"]?.items ?? []).flatMap { paths($0) }
        source.isInPDF = keys["extract"].map { requireWord($0, "pdf-attachment") } ?? false
        return .xml(source)
    }

    /// Records that are structured already.
    private mutating func recordSource(_ keys: [String: YAMLTree]) -> SourceDefinition {
        isStructured = true
        let stream = keys["stream"].flatMap { scalar($0) }
        if let tree = keys["stream"], stream?.isEmpty != false {
            fault(.valueExpected, ["expected": "text", "context": "stream"], at: tree.place)
        }
        var source = XMLSource(records: [XMLName(stream ?? "record")])
        source.form = .records(stream: stream)
        source.skip = (keys["skip"]?.items ?? []).flatMap { paths($0) }
        return .xml(source)
    }

    private mutating func tableSource(
        _ kind: TableSource.Kind, _ tree: YAMLTree, _ keys: [String: YAMLTree], _ target: EntitySchema?
    ) -> TableSource {
        var source = TableSource()
        source.kind = kind
        if let encodings = keys["encoding"] {
            source.encodings = encodings.items.compactMap { choice($0, TextEncoding.self) }
        }
        if let locale = keys["locale"].flatMap({ choice($0, NumberLocale.self) }) { source.locale = locale }
        if let dialect = keys["dialect"] { read(dialect, into: &source) }
        if kind != .csv { source.headerLines = 0 }
        for (column, _, others) in keys["aliases"]?.pairs ?? [] {
            source.aliases[column] = others.items.compactMap(\.scalar)
        }
        table = source
        if let rows = keys["rows"] {
            source.grouping = rowKinds(rows, target)
            if let group = keys["group_by"] {
                fault(.sourceConflict, ["first": "rows", "second": "group_by"], at: group.place)
            }
        } else if let group = keys["group_by"] {
            source.grouping = rowGroups(
                group, isStaged: keys["group"].flatMap { choice($0, TableSource.RowOrder.self) } == .staged)
        }
        if let group = keys["group"], keys["group_by"] == nil {
            fault(.keyMissing, ["context": "source", "key": "group_by"], at: group.place)
        }
        if let detail = keys["detail"] {
            if source.grouping != nil {
                fault(.sourceConflict, ["first": "rows, group_by", "second": "detail"], at: detail.place)
            }
            source.grouping = self.detail(detail)
        }
        table = source
        return source
    }

    private mutating func read(_ tree: YAMLTree, into source: inout TableSource) {
        let keys = map(tree, .dialect)
        if let delimiters = keys["delimiter"] {
            source.delimiters = delimiters.items.compactMap { delimiter($0) }
        }
        if let quote = keys["quote"] { source.quote = quote.scalar == "none" ? nil : byte(quote) }
        if let header = keys["header"].flatMap({ integer($0) }) { source.headerLines = header }
        if let columns = keys["columns"].flatMap({ choice($0, TableSource.ColumnMatch.self) }) {
            source.columns = columns
        }
        if let ragged = keys["ragged"].flatMap({ choice($0, TableSource.Ragged.self) }) {
            source.ragged = ragged
        }
        if let length = keys["length"].flatMap({ integer($0) }), length > 0 { source.length = length }
        source.ignoresTrailingEmpty = keys["trailing_empty"].map { requireWord($0, "ignore") } ?? false
        if let overflow = keys["overflow"] {
            source.overflow = scalar(overflow["into"])
            if source.overflow == nil {
                fault(.keyMissing, ["key": "into", "context": "overflow"], at: overflow.place)
            }
        }
    }

    /// A character between cells, which no line end and no quote can be.
    mutating func delimiter(_ tree: YAMLTree) -> UInt8? {
        guard let byte = byte(tree) else { return nil }
        guard byte >= 0x80 || [UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\"")].contains(byte)
        else {
            return byte
        }
        fault(.valueExpected, ["expected": "character", "context": "delimiter"], at: tree.place)
        return nil
    }

    /// Names of columns, at least one.
    private mutating func columnNames(_ tree: YAMLTree, _ context: String) -> [String] {
        let names = tree.items.compactMap(\.scalar)
        if names.isEmpty { fault(.valueExpected, ["expected": "list", "context": context], at: tree.place) }
        return names
    }

    /// `{by: {col: Type}, header: E, lines: L}`.
    private mutating func rowKinds(_ tree: YAMLTree, _ target: EntitySchema?) -> RowGrouping? {
        let keys = map(tree, .rows)
        guard let by = keys["by"],
            let place = by.scalar == "tag" ? .column("0") : locator(map(by, .field), at: by.place)
        else { return nil }
        var kinds = RowKinds()
        kinds.header = (keys["header"]?.items ?? []).compactMap(\.scalar)
        kinds.own = (keys["record"]?.items ?? []).compactMap(\.scalar)
        kinds.ignored = (keys["ignore"]?.items ?? []).compactMap(\.scalar)
        for (name, words) in keys {
            guard let collection = target?.collection(name) else { continue }
            for word in words.items.compactMap(\.scalar) { kinds.rows[word] = collection }
        }
        return .byKind(place, kinds)
    }

    /// `{file: "{lot}_lignes.csv", key: [NumFacture]}`; the parts in braces are named groups of `filename`.
    private mutating func detail(_ tree: YAMLTree) -> RowGrouping? {
        let keys = map(tree, .detail)
        guard let file = keys["file"], let name = scalar(file), let key = keys["key"] else { return nil }
        if name.contains("/") || name.isEmpty {
            fault(.valueExpected, ["expected": "file", "context": "detail.file"], at: file.place)
        }
        for part in name.split(separator: "{", omittingEmptySubsequences: false).dropFirst() {
            let group = String(part.prefix { $0 != "}" })
            if fileName?.groupNames.contains(where: { $0.name == group }) == true { continue }
            fault(.variableUnknown, ["name": group], at: file.place)
        }
        return .byDetail(DetailSource(file: name, key: columnNames(key, "detail.key")))
    }

    /// `[Ref]` or `{columns: [Ref], blank: continues}`.
    private mutating func rowGroups(_ tree: YAMLTree, isStaged: Bool) -> RowGrouping {
        guard tree.pairs != nil else {
            return .byKey(
                columnNames(tree, "group_by").map { .column($0) }, blankContinues: false,
                isStaged: isStaged)
        }
        let keys = map(tree, .groupBy)
        return .byKey(
            keys["columns"].map { columnNames($0, "group_by").map { .column($0) } } ?? [],
            blankContinues: keys["blank"].map { requireWord($0, "continues") } ?? false, isStaged: isStaged)
    }

    /// A column or a place of a line.
    mutating func locator(_ keys: [String: YAMLTree], at place: Place) -> Locator? {
        guard let row = keys["row"], let kind = scalar(row) else { return ownLocator(keys, at: place) }
        if case .byKind(_, let kinds)? = table?.grouping, !kinds.own.contains(kind) {
            unknownValue(kind, kinds.own, at: row.place)
        }
        return ownLocator(keys, at: place).map { .inRow(kind: kind, $0) }
    }

    private mutating func ownLocator(_ keys: [String: YAMLTree], at place: Place) -> Locator? {
        if let column = keys["col"] { return scalar(column).map { .column($0) } }
        guard let at = keys["at"], let text = scalar(at) else {
            fault(.keyMissing, ["context": "field", "key": table?.kind == .fixed ? "at" : "col"], at: place)
            return nil
        }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        if ends.count == 2, let first = ends[0], first > 0, text.last == "-" {
            return .slice(start: first - 1, count: nil)
        }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, first > 0, last >= first,
            ends.count <= 2
        else {
            fault(.valueExpected, ["expected": "place", "context": "at"], at: at.place)
            return nil
        }
        return .slice(start: first - 1, count: last - first + 1)
    }
}
