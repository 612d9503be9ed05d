// SPDX-License-Identifier: Apache-2.0
// `/mappings`: which mappings are there, whose are they, what uses them?

internal import CRM
internal import Hub
internal import Hummingbird
internal import Mapping
internal import Model
internal import PostgreSQL
internal import Words

/// The mappings as their template sees them.
struct MappingsPage: Page {
    /// A mapping.
    struct Row: Sendable {
        let name: String
        let title: String
        let url: String
        let badge: BadgeView
        let kind: String
        let version: String
        let flows: String
        let used: String
        let usedFile: String?
    }

    static let template = "mappings"
    static let entry = "/mappings"
    let title: String
    let sub: String
    let rows: [Row]
    let noFolder: Bool
}

extension MappingPages {
    /// Every mapping, by name.
    func list(_ saying: Saying) async throws -> MappingsPage {
        let words = saying.words
        let library = try tools.mappings.library()
        let (flows, uses) = try await site.pool.withConnection { connection in
            (try await Flows.list(on: connection), try await MappingStore.lastUses(on: connection))
        }
        let byMapping = Dictionary(grouping: flows) { flow in
            // A definition that this program no longer understands names no mapping.
            let definition = try? FlowDefinition.parse(
                flow.text, file: flow.name, connectors: connectors, mappings: library)
            return definition?.mapping ?? definition?.outgoing?.mapping ?? ""
        }.mapValues { $0.map(\.name).sorted() }
        let used = Dictionary(uses.map { ($0.name, $0) }) { $1 }
        return MappingsPage(
            title: words("page.mappings.title"), sub: words("page.mappings.sub", count: library.all.count),
            rows: library.all.map { mapping in
                let isOwn = library.files[mapping.name].map { tools.mappings.isOwn($0) } ?? false
                return MappingsPage.Row(
                    name: mapping.name, title: mapping.title, url: Self.path(mapping.name),
                    badge: Self.badge(isOwn: isOwn, words), kind: Self.kind(mapping, words),
                    version: String(mapping.version),
                    flows: (byMapping[mapping.name] ?? []).joined(separator: ", "),
                    used: used[mapping.name].map { saying.momentShort($0.at) }
                        ?? words("page.mappings.unused"),
                    usedFile: used[mapping.name]?.file)
            }, noFolder: !store.canSave)
    }

    /// Where a mapping is edited.
    static func path(_ name: String) -> String { "/mappings/" + Link.encoded(name) }

    /// Whose it is.
    static func badge(isOwn: Bool, _ words: Words) -> BadgeView {
        isOwn
            ? BadgeView("run plain", words("page.mappings.own"))
            : BadgeView("plain", words("page.mappings.shipped"))
    }

    /// `CSV → facture`, or the other way round.
    static func kind(_ mapping: MappingFile, _ words: Words) -> String {
        let entity = words("entity.\(mapping.target.name)")
        let format = mapping.format.uppercased()
        switch mapping {
        case .reading: return words("page.mappings.reads", ["format": format, "entity": entity])
        case .writing: return words("page.mappings.writes", ["format": format, "entity": entity])
        }
    }
}
