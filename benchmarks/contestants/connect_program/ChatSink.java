import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkConnector;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;

/**
 * What who knows Kafka Connect writes: a sink that folds until its offsets are flushed, and sends it in hundreds then.
 */
public class ChatSink extends SinkConnector {
    static final int USERS = 100;
    static final int TAGS = 10;

    private Map<String, String> settings;

    @Override
    public void start(Map<String, String> settings) {
        this.settings = settings;
    }

    @Override
    public Class<? extends Task> taskClass() {
        return Sending.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int most) {
        return List.of(settings); // one task: two would fill their requests by themselves
    }

    @Override
    public void stop() {
    }

    @Override
    public ConfigDef config() {
        return new ConfigDef().define("address", ConfigDef.Type.STRING, ConfigDef.Importance.HIGH, "COMMAND is the command.");
    }

    @Override
    public String version() {
        return "1";
    }

    /** Folds, and sends. */
    public static class Sending extends SinkTask {
        private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        private final ObjectMapper json = new ObjectMapper();
        private final Map<String, Map<String, String>> attributes = new HashMap<>();
        private final Map<String, Map<String, Boolean>> tags = new HashMap<>();
        private String address;

        @Override
        public void start(Map<String, String> settings) {
            address = settings.get("address");
        }

        @Override
        @SuppressWarnings("unchecked")
        public void put(Collection<SinkRecord> records) {
            for (SinkRecord record : records) {
                Map<String, Object> event = (Map<String, Object>) record.value();
                Map<String, String> data = (Map<String, String>) event.get("data");
                if (data == null) {
                    set((String) event.get("user_id"), "city", (String) event.get("city"));
                } else if (data.containsKey("tier")) {
                    set(data.get("user_id"), "membership", data.get("tier"));
                } else {
                    tags.computeIfAbsent(data.get("user_id"), user -> new HashMap<>())
                        .put("stock:" + data.get("symbol"), "com.example.stock.followed".equals(event.get("type")));
                }
            }
        }

        private void set(String user, String name, String value) {
            attributes.computeIfAbsent(user, each -> new HashMap<>()).put(name, value);
        }

        @Override
        public void flush(Map<TopicPartition, OffsetAndMetadata> offsets) {
            List<Map<String, Object>> users = new ArrayList<>();
            attributes.forEach((user, values) -> users.add(Map.of("To_Account", user, "Attrs", values)));
            attributes.clear();
            send("im_set_attr", "UserAttrs", users);
            send("im_add_tag", "UserTags", tagged(true));
            send("im_remove_tag", "UserTags", tagged(false));
            tags.clear();
        }

        private List<Map<String, Object>> tagged(boolean carried) {
            List<Map<String, Object>> users = new ArrayList<>();
            List<Map<String, Object>> further = new ArrayList<>();
            tags.forEach((user, words) -> {
                List<String> names = words.keySet().stream().filter(tag -> words.get(tag) == carried).toList();
                for (int begin = 0; begin < names.size(); begin += TAGS) {
                    List<String> some = names.subList(begin, Math.min(begin + TAGS, names.size()));
                    (begin == 0 ? users : further).add(Map.of("To_Account", user, "Tags", some));
                }
            });
            users.addAll(further);
            return users;
        }

        private void send(String command, String list, List<Map<String, Object>> users) {
            URI where = URI.create(address.replace("COMMAND", command));
            for (int begin = 0; begin < users.size(); begin += USERS) {
                try {
                    byte[] body = json.writeValueAsBytes(Map.of(list, users.subList(begin, Math.min(begin + USERS, users.size()))));
                    HttpRequest request = HttpRequest.newBuilder(where)
                        .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofByteArray(body)).build();
                    byte[] answer = client.send(request, HttpResponse.BodyHandlers.ofByteArray()).body();
                    if (json.readTree(answer).path("ErrorCode").asInt() != 0) {
                        System.err.println(command + " was refused: " + new String(answer, StandardCharsets.UTF_8));
                    }
                } catch (IOException error) {
                    throw new ConnectException(error);
                } catch (InterruptedException error) {
                    Thread.currentThread().interrupt();
                    throw new ConnectException(error);
                }
            }
        }

        @Override
        public void stop() {
        }

        @Override
        public String version() {
            return "1";
        }
    }
}
