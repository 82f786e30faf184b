import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.lucene.analysis.core.KeywordAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.InetAddressPoint;
import org.apache.lucene.document.LongPoint;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.queryparser.classic.ParseException;
import org.apache.lucene.queryparser.classic.QueryParser;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.LRUQueryCache;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryCachingPolicy;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.Sort;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.store.ByteBuffersDirectory;

/**
 * Searches events with queries by Lucene's classic query parser, set up as Elasticsearch's query_string sets it up
 * over an index in which every field is a keyword, or an address ("ip"), or a whole number ("long").
 *
 * <p>Input: numbers of four bytes, texts as their length in bytes and UTF-8. Whether wildcards may lead (0 or 1);
 * the number of typed fields, and each one's name and type; the number of events, each as the number of its
 * values and for each the field's name and the value; the number of queries, and each. Output: a line for each
 * query, "found" and the positions of events, or "error" and why.
 */
public final class Search {
    private static final String NAMES = "_field_names";
    private static final int LONGEST_REGEX = 1000;
    private static final int MOST_STATES = 10000;
    private static final int MOST_CLAUSES = 1024;

    private static final QueryCachingPolicy ALWAYS =
            new QueryCachingPolicy() {
                @Override
                public void onUse(Query query) {}

                @Override
                public boolean shouldCache(Query query) {
                    return true;
                }
            };

    private final DataInputStream in;
    private final Map<String, Query> expressions = new ConcurrentHashMap<>();
    private final Map<String, String> types = new HashMap<>();

    private Search(DataInputStream in) {
        this.in = in;
    }

    public static void main(String[] arguments) throws Exception {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
                PrintStream out = new PrintStream(System.out, false, "UTF-8")) {
            new Search(in).run(out);
        }
    }

    private String text() throws IOException {
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private void run(PrintStream out) throws Exception {
        boolean leadingWildcards = in.readInt() == 1;
        for (int count = in.readInt(); count > 0; count--) {
            types.put(text(), text());
        }
        ByteBuffersDirectory directory = new ByteBuffersDirectory();
        IndexWriterConfig config = new IndexWriterConfig(new KeywordAnalyzer());
        config.setRAMBufferSizeMB(512);
        try (IndexWriter writer = new IndexWriter(directory, config)) {
            int events = in.readInt();
            for (int event = 0; event < events; event++) {
                writer.addDocument(document());
            }
            writer.forceMerge(1);
        }
        BooleanQuery.setMaxClauseCount(MOST_CLAUSES);
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
            IndexSearcher searcher = new IndexSearcher(reader);
            // Queries have much in common: which events they are about.
            searcher.setQueryCache(new LRUQueryCache(2000, 1 << 27, context -> true, Float.POSITIVE_INFINITY));
            searcher.setQueryCachingPolicy(ALWAYS);
            List<String> queries = new ArrayList<>();
            for (int count = in.readInt(); count > 0; count--) {
                queries.add(text());
            }
            queries.parallelStream()
                    .map(query -> answer(searcher, query, leadingWildcards))
                    .forEachOrdered(out::println);
        }
    }

    private Document document() throws Exception {
        Document document = new Document();
        for (int count = in.readInt(); count > 0; count--) {
            String name = text();
            String value = text();
            switch (types.getOrDefault(name, "keyword")) {
                case "ip":
                    document.add(new InetAddressPoint(name, InetAddress.getByName(value)));
                    break;
                case "long":
                    document.add(new LongPoint(name, Long.parseLong(value)));
                    break;
                default:
                    document.add(new StringField(name, value, Field.Store.NO));
            }
            document.add(new StringField(NAMES, name, Field.Store.NO));
        }
        return document;
    }

    private String answer(IndexSearcher searcher, String text, boolean leadingWildcards) {
        try {
            Parser parser = new Parser();
            parser.setAllowLeadingWildcard(leadingWildcards);
            parser.setDefaultOperator(QueryParser.Operator.OR);
            parser.setMaxDeterminizedStates(MOST_STATES);
            StringBuilder found = new StringBuilder("found");
            // Documents are numbered as they were added.
            for (ScoreDoc one : searcher.search(parser.parse(text), Integer.MAX_VALUE, Sort.INDEXORDER).scoreDocs) {
                found.append(' ').append(one.doc);
            }
            return found.toString();
        } catch (ParseException | RuntimeException | IOException fault) {
            return "error " + String.valueOf(fault).replaceAll("\\s+", " ");
        }
    }

    /** What Elasticsearch changes of the parser. */
    private final class Parser extends QueryParser {
        Parser() {
            super("no field", new KeywordAnalyzer());
        }

        @Override
        protected Query getFieldQuery(String field, String text, boolean quoted) throws ParseException {
            known(field);
            if (field.equals("_exists_")) {
                return new TermQuery(new Term(NAMES, text));
            }
            try {
                switch (types.getOrDefault(field, "keyword")) {
                    case "ip":
                        return address(field, text);
                    case "long":
                        return LongPoint.newExactQuery(field, Long.parseLong(text));
                    default:
                        return super.getFieldQuery(field, text, quoted);
                }
            } catch (IOException | NumberFormatException fault) {
                throw new ParseException(fault.toString());
            }
        }

        private Query address(String field, String text) throws IOException {
            int slash = text.indexOf('/');
            if (slash < 0) {
                return InetAddressPoint.newExactQuery(field, InetAddress.getByName(text));
            }
            InetAddress network = InetAddress.getByName(text.substring(0, slash));
            return InetAddressPoint.newPrefixQuery(field, network, Integer.parseInt(text.substring(slash + 1)));
        }

        @Override
        protected Query getRegexpQuery(String field, String text) throws ParseException {
            known(field);
            if (text.length() > LONGEST_REGEX) {
                throw new ParseException("The length of regex [" + text.length() + "]");
            }
            if (types.containsKey(field)) {
                throw new ParseException("Can only use regexp queries on keyword and text fields");
            }
            Query known = expressions.get(field + ":" + text);
            if (known == null) {
                known = super.getRegexpQuery(field, text);
                expressions.put(field + ":" + text, known);
            }
            return known;
        }

        @Override
        protected Query getRangeQuery(String field, String from, String to, boolean withFrom, boolean withTo)
                throws ParseException {
            known(field);
            if (!"long".equals(types.get(field))) {
                throw new ParseException("a range of texts");
            }
            long first = from == null ? Long.MIN_VALUE : Long.parseLong(from) + (withFrom ? 0 : 1);
            long last = to == null ? Long.MAX_VALUE : Long.parseLong(to) - (withTo ? 0 : 1);
            return LongPoint.newRangeQuery(field, first, last);
        }

        private void known(String field) throws ParseException {
            if (field.equals("no field")) {
                throw new ParseException("a term without a field");
            }
        }
    }
}
