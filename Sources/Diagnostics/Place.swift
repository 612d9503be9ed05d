// SPDX-License-Identifier: Apache-2.0
// A position in a file or a record, as precise as the reader that found it could tell.

/// Where something is: file, line, column, field and the value found there; every part is optional.
package struct Place: Sendable, Hashable {
    /// The file's name as the user gave it.
    package var file: String?
    /// One-based line of the file.
    package var line: Int?
    /// One-based column of the line, in bytes.
    package var column: Int?
    /// The field of the record, by its JSON name (`buyer.siren`).
    package var field: String?
    /// The value found, at most 200 characters of it.
    package var value: String? {
        didSet { value = value.map { String($0.prefix(200)) } }
    }

    /// A place, as far as it is known.
    package init(
        file: String? = nil, line: Int? = nil, column: Int? = nil, field: String? = nil,
        value: String? = nil
    ) {
        self.file = file
        self.line = line
        self.column = column
        self.field = field
        self.value = value.map { String($0.prefix(200)) }
    }

    /// `file:line:column`, as compilers print it; empty when nothing is known.
    package var position: String {
        [file, line.map(String.init), column.map(String.init)].compactMap(\.self).joined(separator: ":")
    }

    /// The same place in the file `name`, when none was named yet.
    package func inFile(_ name: String) -> Place {
        var place = self
        place.file = file ?? name
        return place
    }
}
