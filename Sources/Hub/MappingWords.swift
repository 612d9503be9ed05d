// SPDX-License-Identifier: Apache-2.0
// Words that records have and their mapping does not know, taught to it.

internal import Diagnostics
internal import Mapping
internal import Model

extension MappingStore {
    /// The words that a field may become, where its mapping has one list of words that refuses others; nil where a
    /// person has to edit the mapping.
    package func choices(of field: String, in name: String) throws -> [String]? {
        guard let stored = try show(name) else { return nil }
        guard let listed = MappingText(stored.text).choices(of: field) else { return nil }
        let known = stored.mapping.target.words(of: field.replacing(#/\[\d+\]/#, with: ""))
        return known.isEmpty ? listed : known
    }

    /// Keeps a version of a mapping whose list of words for a field has some more.
    ///
    /// - Throws: `MAP-EDIT-…` where that cannot be done for certain, `MAP-SAVE-CHANGED` where somebody saved meanwhile,
    ///   ``MappingFaults`` where the field cannot become such a word; and what saving throws.
    package func remember(
        _ words: [(old: String, new: String)], of field: String, in name: String, by user: Int
    ) async throws -> SavedMapping {
        guard !words.isEmpty else { throw MappingError(.editNothing) }
        guard let stored = try show(name) else { throw MappingError(.mappingUnknown, ["name": name]) }
        var text = MappingText(stored.text)
        for word in words {
            // Of a longer value only its beginning was kept.
            guard word.old.count < 200 else { throw MappingError(.editLayout, ["field": field]) }
            try text.addWord(word.old, becoming: word.new, to: field)
        }
        let outcome = try await save(text.text, as: name, from: stored.digest, by: user)
        guard case .saved(let saved) = outcome else { throw MappingError(.saveChanged) }
        return saved
    }
}

extension EntitySchema {
    /// The words that a field may have; none where it takes any.
    fileprivate func words(of field: String) -> [String] {
        if let slot = slot(of: field) { return fields[slot].words }
        for collection in collections where field.hasPrefix(collection.name + ".") {
            let name = String(field.dropFirst(collection.name.count + 1))
            if let slot = collection.slot(of: name) { return collection.fields[slot].words }
        }
        return []
    }
}
