// SPDX-License-Identifier: Apache-2.0
// The versions of a mapping: which there were, and what differs between them.

internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import Mapping
internal import PostgreSQL
internal import Words

/// What is known of a mapping's former texts.
struct MappingHistory: Sendable {
    private static let perPage = 20

    /// A text that it had.
    struct Version: Sendable {
        let version: String
        let at: String
        let author: String
        let compareURL: String
        let restoreURL: String?
        let restoreLabel: String
        let isCompared: Bool
    }

    /// A line of a comparison.
    struct Line: Sendable {
        let isGone: Bool
        let isNew: Bool
        let sign: String
        let text: String
    }

    /// A comparison of two texts.
    struct Comparison: Sendable {
        let title: String
        let lines: [Line]
        let isSame: Bool
    }

    /// What somebody else saved meanwhile.
    struct Overtaking: Sendable {
        let said: String
        let theirs: String
    }

    let site: Site
    let store: MappingStore

    /// A page of versions, newest first.
    func versions(
        of mapping: MappingFile, _ request: Request, _ saying: Saying
    ) async throws -> ([Version], PagerView?) {
        let before = request.number("before")
        let found = try await site.pool.withConnection {
            try await MappingStore.versions(
                of: mapping.name, before: before, limit: Self.perPage + 1, on: $0)
        }
        let shown = found.prefix(Self.perPage)
        let path = MappingPages.path(mapping.name)
        let pager = PagerView(
            text: saying.words("page.mapping.shown", count: shown.count),
            first: before == nil ? nil : path,
            next: found.count > shown.count
                ? Link.to(path, ["before": shown.last.map { String($0.id) }]) : nil)
        return (shown.map { version($0, request, mapping, saying) }, pager)
    }

    private func version(
        _ version: MappingVersion, _ request: Request, _ mapping: MappingFile, _ saying: Saying
    ) -> Version {
        let words = saying.words
        let path = MappingPages.path(mapping.name)
        let number = String(version.version)
        return Version(
            version: words("page.mapping.version", ["version": number]), at: saying.moment(version.madeAt),
            author: version.author ?? words("page.mapping.byFile"),
            compareURL: Link.to(path, ["compare": String(version.id)]) + "#compare",
            restoreURL: store.canSave && version.version != mapping.version
                ? path + "/restore/\(version.id)" : nil,
            restoreLabel: words("page.mapping.restoreLabel", ["version": number]),
            isCompared: request.number("compare") == version.id)
    }

    /// The text of now beside that of a version, or two versions; after somebody else's save, his text beside mine.
    func comparison(
        _ request: Request, _ mine: String, _ stored: StoredMapping, _ theirs: StoredMapping?, _ words: Words
    ) async throws -> Comparison? {
        if let theirs {
            return Self.comparison(words("page.mapping.theirsAndMine"), theirs.text, mine, words)
        }
        guard let id = request.number("compare") else { return nil }
        let name = stored.mapping.name
        let old = try await version(id, of: name)
        let new = try await version(request.number("with"), of: name)
        guard let old else { throw ServerError(.notFound) }
        let title = words(
            "page.mapping.compared",
            [
                "old": String(old.version),
                "new": new.map { String($0.version) } ?? String(stored.mapping.version),
            ])
        return Self.comparison(title, old.text, new?.text ?? stored.text, words)
    }

    /// A version of a mapping; nil where it has none with this number.
    func version(_ id: Int?, of name: String) async throws -> MappingVersion? {
        guard let id else { return nil }
        return try await site.pool.withConnection { try await MappingStore.version(id, of: name, on: $0) }
    }

    private static func comparison(
        _ title: String, _ old: String, _ new: String, _ words: Words
    ) -> Comparison {
        let lines = DiffLine.compare(old, new)
        return Comparison(
            title: title,
            lines: lines.map { line in
                let isSkipped = line.kind == .skipped
                return Line(
                    isGone: line.kind == .gone, isNew: line.kind == .new,
                    sign: line.kind == .gone ? "−" : line.kind == .new ? "+" : isSkipped ? "…" : " ",
                    text: isSkipped
                        ? words("page.mapping.sameLines", count: Int(line.text) ?? 0) : line.text)
            }, isSame: !lines.contains { $0.kind == .gone || $0.kind == .new })
    }

    /// Who saved meanwhile, and what.
    func overtaking(
        _ theirs: StoredMapping?, _ saying: Saying
    ) async throws -> Overtaking? {
        guard let theirs else { return nil }
        let name = theirs.mapping.name
        let last = try await site.pool.withConnection {
            try await MappingStore.versions(of: name, limit: 1, on: $0).first
        }
        return Overtaking(
            said: saying.words(
                "page.mapping.overtaken",
                [
                    "version": String(theirs.mapping.version),
                    "author": last?.author ?? saying.words("page.mapping.byFile"),
                    "at": last.map { saying.momentShort($0.madeAt) } ?? "",
                ]), theirs: theirs.text)
    }
}
