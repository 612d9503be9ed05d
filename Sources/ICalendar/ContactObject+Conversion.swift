// SPDX-License-Identifier: Apache-2.0
// A vCard in another version, for clients that ask for one and before a card of 2.1 is edited.

internal import Foundation

extension ContactObject {
    /// The card in a version, as bytes: those that were sent where it is the same one, otherwise written
    /// anew.
    ///
    /// What only one version has a form for is kept under the name that it has there; nothing is dropped but
    /// parameters that would be wrong. A card of 2.1 is never written.
    /// - Source: RFC 6350, appendix A; RFC 6352, 5.1 (`address-data` and its version).
    package func bytes(in wanted: Version) -> [UInt8] {
        guard wanted != version, wanted != .v2 else { return document.bytes }
        let conversion = ContactConversion(from: version, to: wanted)
        var lines = [ContentLine("BEGIN", value: "VCARD"), ContentLine("VERSION", value: wanted.rawValue)]
        lines += card.properties.flatMap { $0.name == "VERSION" ? [] : conversion.lines($0) }
        lines += conversion.missing(in: card)
        lines.append(ContentLine("END", value: "VCARD"))
        return ContentLine.write(lines)
    }
}

/// The properties of a card from one version to another.
struct ContactConversion {
    private let source: ContactObject.Version
    private let target: ContactObject.Version

    init(from source: ContactObject.Version, to target: ContactObject.Version) {
        self.source = source
        self.target = target
    }

    /// What a property becomes.
    func lines(_ line: ContentLine) -> [ContentLine] {
        let line = source == .v2 ? modern(line) : line
        switch line.name {
        case "PHOTO", "LOGO", "SOUND", "KEY": return [binary(line)]
        case "BDAY", "ANNIVERSARY", "X-ANNIVERSARY": return [date(line)]
        case "TEL", "EMAIL", "ADR", "URL", "IMPP": return [channel(line)]
        case "REV": return [revision(line)]
        case "GEO": return [position(line)]
        default:
            return [ContentLine(name(of: line.name), cleaned(line), value: line.value, group: line.group)]
        }
    }

    /// What the target requires and the card lacks.
    ///
    /// - Source: RFC 2426, 3.1.1 and 3.1.2 (FN and N); RFC 6350, 6.2.1 (FN).
    func missing(in card: Component) -> [ContentLine] {
        let shown = card["FN"]?.text.trimmingBlanks ?? ""
        let parts = card["N"]?.structure.map { $0.joined(separator: " ") } ?? []
        let fromName = [3, 1, 2, 0, 4].compactMap { $0 < parts.count ? parts[$0] : nil }
            .filter { !$0.isEmpty }.joined(separator: " ")
        let others = [card["ORG"], card["EMAIL"], card["TEL"]].compactMap { $0?.text }
        let name = ([shown, fromName] + others).first { !$0.isEmpty } ?? "?"
        var lines: [ContentLine] = []
        if card["FN"] == nil { lines.append(ContentLine("FN", value: ContentLine.escaped(name))) }
        if target == .v3, card["N"] == nil {
            lines.append(ContentLine("N", value: ContentLine.escaped(name) + ";;;;"))
        }
        return lines
    }

    // MARK: - Names

    private static let apple = [
        "KIND": "X-ADDRESSBOOKSERVER-KIND", "MEMBER": "X-ADDRESSBOOKSERVER-MEMBER",
        "ANNIVERSARY": "X-ANNIVERSARY",
    ]
    private static let standard = Dictionary(uniqueKeysWithValues: apple.map { ($1, $0) })

    private func name(of name: String) -> String {
        (target == .v4 ? Self.standard[name] : Self.apple[name]) ?? name
    }

    // MARK: - Parameters

    /// The parameters that the target has: PREF against TYPE=pref, no charset, no encoding.
    private func cleaned(_ line: ContentLine, without names: Set<String> = []) -> [ContentLine.Parameter] {
        line.parameters.filter { !["CHARSET", "ENCODING"].contains($0.name) && !names.contains($0.name) }
    }

    private func preference(_ line: ContentLine, without names: Set<String> = []) -> [ContentLine.Parameter] {
        let others = cleaned(line, without: names.union(["TYPE", "PREF"]))
        var types = line.values(of: "TYPE").flatMap { $0.split(separator: ",").map(String.init) }
        let isPreferred = types.contains { $0.lowercased() == "pref" } || line["PREF"] == "1"
        types.removeAll { ["pref", "internet"].contains($0.lowercased()) }
        if isPreferred, target == .v3 { types.append("pref") }
        return (types.isEmpty ? [] : [.init("TYPE", types)]) + others
            + (isPreferred && target == .v4 ? [.init("PREF", ["1"])] : [])
    }

    // MARK: - Values

    /// Quoted-printable and the commas of 2.1, in the escapes of later versions.
    private func modern(_ line: ContentLine) -> ContentLine {
        guard !line.isBase64 else { return line }
        let structured = ["N", "ADR", "ORG"].contains(line.name)
        let value: String
        if structured {
            let parts = line.structure.map { ContentLine.escaped($0.joined(separator: ",")) }
            value = parts.joined(separator: ";")
        } else if line.name == "CATEGORIES" {
            value = line.list.map(ContentLine.escaped).joined(separator: ",")
        } else {
            value = ContentLine.escaped(line.text)
        }
        return ContentLine(line.name, cleaned(line), value: value, group: line.group)
    }

    private func binary(_ line: ContentLine) -> ContentLine {
        let others = cleaned(line, without: ["TYPE", "MEDIATYPE", "VALUE"])
        switch ContactPhoto.read(line) {
        case .bytes(let bytes, let type):
            guard target == .v3 else {
                let text = Data(bytes).base64EncodedString()
                let value = "data:\(type ?? "application/octet-stream");base64,\(text)"
                return ContentLine(line.name, others, value: value, group: line.group)
            }
            let older = Contact.Photo.bytes(bytes, mediaType: type).line
            return ContentLine(line.name, older.parameters + others, value: older.value, group: line.group)
        case .address(let address):
            let isText = line["VALUE"]?.uppercased() == "TEXT"
            let kind = ContentLine.Parameter("VALUE", [isText ? "text" : "uri"])
            let parameters = target == .v3 || isText ? [kind] + others : others
            return ContentLine(line.name, parameters, value: address, group: line.group)
        case nil: return ContentLine(line.name, line.parameters, value: line.value, group: line.group)
        }
    }

    /// Days in the basic form of 4.0 (RFC 6350, 4.3.1) or the extended one of 3.0; without year as Apple
    /// does.
    private func date(_ line: ContentLine) -> ContentLine {
        let name = name(of: line.name)
        guard let day = ContactBirthday.read(line), !line.value.uppercased().contains("T") else {
            return ContentLine(name, cleaned(line), value: line.value, group: line.group)
        }
        let others = cleaned(line, without: ["X-APPLE-OMIT-YEAR", "VALUE"])
        guard target == .v4 else {
            return ContentLine(name, day.line.parameters + others, value: day.line.value, group: line.group)
        }
        let (year, rest) = (day.line.value.prefix(4), day.line.value.dropFirst(4).filter { $0 != "-" })
        return ContentLine(
            name, others, value: (day.year == nil ? "--" : year) + rest, group: line.group)
    }

    private func channel(_ line: ContentLine) -> ContentLine {
        guard target == .v3, line.name == "TEL", line["VALUE"]?.lowercased() == "uri" else {
            return ContentLine(line.name, preference(line), value: line.value, group: line.group)
        }
        // A number of 3.0 is a text.
        let value = ContactReader.without("tel:", line.value)
        return ContentLine(
            line.name, preference(line, without: ["VALUE"]), value: ContentLine.escaped(value),
            group: line.group)
    }

    private func revision(_ line: ContentLine) -> ContentLine {
        guard let moment = CalendarMoment(line.value) else {
            return ContentLine(line.name, cleaned(line), value: line.value, group: line.group)
        }
        return ContentLine(
            line.name, cleaned(line, without: ["VALUE"]), value: moment.text, group: line.group)
    }

    /// `48.85;2.35` against `geo:48.85,2.35` (RFC 2426, 3.4.2; RFC 6350, 6.5.2).
    private func position(_ line: ContentLine) -> ContentLine {
        let parts = ContactReader.without("geo:", line.value).split { $0 == ";" || $0 == "," }
        guard parts.count >= 2 else { return line }
        let value = target == .v4 ? "geo:\(parts[0]),\(parts[1])" : "\(parts[0]);\(parts[1])"
        return ContentLine(line.name, cleaned(line, without: ["VALUE"]), value: value, group: line.group)
    }
}
