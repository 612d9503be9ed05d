// SPDX-License-Identifier: Apache-2.0
// A person of the CRM as a new vCard; one that exists is patched instead.

internal import Foundation

extension Contact {
    /// The contact as a vCard of 3.0, which most programs read; ``ContactObject/bytes(in:)`` makes 4.0 of it.
    ///
    /// - Source: RFC 2426, 3; groups as Apple writes them (`X-ADDRESSBOOKSERVER-KIND`).
    package var card: [UInt8] {
        let name = self.name ?? Name(family: formattedName ?? "")
        var lines = [
            ContentLine("BEGIN", value: "VCARD"), ContentLine("VERSION", value: "3.0"),
            ContentLine("UID", value: ContentLine.escaped(uid)),
            ContentLine("FN", value: ContentLine.escaped(formattedName ?? "")), name.line,
        ]
        lines += textLines
        for (index, phone) in phones.enumerated() { lines += phone.lines("TEL", group: "tel\(index + 1)") }
        for (index, mail) in mails.enumerated() { lines += mail.lines("EMAIL", group: "mail\(index + 1)") }
        for (index, page) in pages.enumerated() { lines += page.lines("URL", group: "url\(index + 1)") }
        lines += addresses.map(\.line)
        lines += groupLines
        lines += revision.map { [ContentLine("REV", value: $0.text)] } ?? []
        return ContentLine.write(lines + [ContentLine("END", value: "VCARD")])
    }

    private var textLines: [ContentLine] {
        let texts = [("NICKNAME", nickname), ("TITLE", title), ("ROLE", role), ("NOTE", note)]
        var lines = texts.compactMap { name, text in
            text.map { ContentLine(name, value: ContentLine.escaped($0)) }
        }
        if !organization.isEmpty {
            lines.append(
                ContentLine("ORG", value: organization.map(ContentLine.escaped).joined(separator: ";")))
        }
        if !categories.isEmpty {
            let value = categories.map(ContentLine.escaped).joined(separator: ",")
            lines.append(ContentLine("CATEGORIES", value: value))
        }
        lines += birthday.map { [$0.line] } ?? []
        return lines + (photo.map { [$0.line] } ?? [])
    }

    private var groupLines: [ContentLine] {
        switch kind {
        case .group:
            [ContentLine("X-ADDRESSBOOKSERVER-KIND", value: "group")]
                + members.map { ContentLine("X-ADDRESSBOOKSERVER-MEMBER", value: "urn:uuid:\($0)") }
        case .organization: [ContentLine("X-ABSHOWAS", value: "COMPANY")]
        case .individual, .location: []
        }
    }
}

extension Contact.Name {
    /// The name as N.
    package var line: ContentLine {
        let parts = [family, given, additional, prefix, suffix]
        return ContentLine("N", value: parts.map(ContentLine.escaped).joined(separator: ";"))
    }
}

extension Contact.Channel {
    /// The number or address as a property of 3.0, and its label in the same group.
    package func lines(_ property: String, group: String) -> [ContentLine] {
        let all = types.map { $0.uppercased() } + (isPreferred ? ["pref"] : [])
        let parameters: [ContentLine.Parameter] = all.isEmpty ? [] : [.init("TYPE", all)]
        let line = ContentLine(
            property, parameters, value: ContentLine.escaped(value), group: label == nil ? nil : group)
        let own = label.map { [ContentLine("X-ABLABEL", value: ContentLine.escaped($0), group: group)] }
        return [line] + (own ?? [])
    }
}

extension Contact.Address {
    /// The address as ADR of 3.0.
    package var line: ContentLine {
        let parts = [box, extended, street, locality, region, code, country]
        let all = types.map { $0.uppercased() } + (isPreferred ? ["pref"] : [])
        return ContentLine(
            "ADR", all.isEmpty ? [] : [.init("TYPE", all)],
            value: parts.map(ContentLine.escaped).joined(separator: ";"))
    }
}

extension Contact.Birthday {
    /// The day as BDAY of 3.0; without year as Apple writes it.
    package var line: ContentLine {
        func digits(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let value = "\(digits(year ?? 1604, 4))-\(digits(month, 2))-\(digits(day, 2))"
        return ContentLine("BDAY", year == nil ? [.init("X-APPLE-OMIT-YEAR", ["1604"])] : [], value: value)
    }
}

extension Contact.Photo {
    /// The picture as PHOTO of 3.0.
    package var line: ContentLine {
        switch self {
        case .address(let address): return ContentLine("PHOTO", [.init("VALUE", ["uri"])], value: address)
        case .bytes(let bytes, let type):
            // The names of image types are written without their family.
            let short = type.map { $0.hasPrefix("image/") ? String($0.dropFirst(6)) : $0 }?.uppercased()
            let parameters =
                [ContentLine.Parameter("ENCODING", ["b"])] + (short.map { [.init("TYPE", [$0])] } ?? [])
            return ContentLine("PHOTO", parameters, value: Data(bytes).base64EncodedString())
        }
    }
}
