//===- SchemaTest.cpp - Comparison with protobuf's own classes --*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Parses the same bytes with Debian's generated ONNX classes and compares all
/// that both know; and what only newer schemas know with what was written.
///
//===----------------------------------------------------------------------===//

#include "test/unit/onnx-file/OnnxFileTesting.h"
#include <onnx/onnx_pb.h>

using namespace txc::onnx;
using ::testing::ElementsAre;

// The generated classes live in ::onnx, ours in txc::onnx.
namespace pb = ::onnx;

namespace {
/// Compares a tree with protobuf's; failures name the place by SCOPED_TRACE.
class Comparison {
public:
  explicit Comparison(const OnnxFile &file) : file(file) {}

  void model(const pb::ModelProto &expected, const Model &actual);

private:
  template <typename Expected, typename Actual, typename Compare>
  void each(const Expected &expected, const Actual &actual, Compare compare) {
    ASSERT_EQ(size_t(expected.size()), actual.size());
    for (size_t i = 0; i < actual.size(); ++i)
      compare(expected.Get(static_cast<int>(i)), actual[i]);
  }
  template <typename Expected, typename Actual>
  void scalars(const Expected &expected, llvm::ArrayRef<Actual> actual) {
    each(expected, actual,
         [](const auto &a, const auto &b) { EXPECT_EQ(a, b); });
  }
  template <typename Expected>
  void strings(const Expected &expected,
               llvm::ArrayRef<llvm::StringRef> actual) {
    each(expected, actual, [](const std::string &a, llvm::StringRef b) {
      EXPECT_EQ(a, b.str());
    });
  }

  void function(const pb::FunctionProto &expected, const Function &actual);
  void graph(const pb::GraphProto &expected, const Graph &actual);
  template <typename Protos>
  void nodes(const Protos &expected, llvm::ArrayRef<Node> actual);
  void node(const pb::NodeProto &expected, const Node &actual);
  void attribute(const pb::AttributeProto &expected, const Attribute &actual);
  void tensor(const pb::TensorProto &expected, const TensorRef &actual);
  void sparse(const pb::SparseTensorProto &expected,
              const SparseTensor &actual);
  void value(const pb::ValueInfoProto &expected, const ValueInfo &actual);
  void type(const pb::TypeProto &expected, const Type &actual);
  void shape(const pb::TensorShapeProto &expected, const Type &actual);
  void pair(const pb::StringStringEntryProto &expected,
            const StringPair &actual);

  const OnnxFile &file;
};
} // namespace

static std::string domainOf(const std::string &domain) {
  return domain == "ai.onnx" ? "" : domain;
}

void Comparison::model(const pb::ModelProto &expected, const Model &actual) {
  EXPECT_EQ(expected.ir_version(), actual.irVersion);
  EXPECT_EQ(expected.producer_name(), actual.producerName.str());
  EXPECT_EQ(expected.producer_version(), actual.producerVersion.str());
  EXPECT_EQ(expected.domain(), actual.domain.str());
  EXPECT_EQ(expected.model_version(), actual.modelVersion);
  EXPECT_EQ(expected.doc_string(), actual.docString.str());
  each(expected.opset_import(), actual.opsetImports,
       [](const pb::OperatorSetIdProto &a, const OpsetImport &b) {
         EXPECT_EQ(domainOf(a.domain()), b.domain.str());
         EXPECT_EQ(a.version(), b.version);
       });
  each(expected.metadata_props(), actual.metadata,
       [&](const auto &a, const auto &b) { pair(a, b); });
  each(expected.functions(), actual.functions,
       [&](const auto &a, const auto &b) { function(a, b); });
  graph(expected.graph(), actual.graph);
}

void Comparison::function(const pb::FunctionProto &expected,
                          const Function &actual) {
  EXPECT_EQ(expected.name(), actual.name.str());
  EXPECT_EQ(domainOf(expected.domain()), actual.domain.str());
  strings(expected.input(), actual.inputs);
  strings(expected.output(), actual.outputs);
  strings(expected.attribute(), actual.requiredAttributes);
  nodes(expected.node(), actual.nodes);
}

void Comparison::graph(const pb::GraphProto &expected, const Graph &actual) {
  EXPECT_EQ(expected.name(), actual.name.str());
  nodes(expected.node(), actual.nodes);
  each(expected.initializer(), actual.initializers,
       [&](const auto &a, const auto &b) { tensor(a, b); });
  each(expected.sparse_initializer(), actual.sparseInitializers,
       [&](const auto &a, const auto &b) { sparse(a, b); });
  auto compareValue = [&](const auto &a, const auto &b) { value(a, b); };
  each(expected.input(), actual.inputs, compareValue);
  each(expected.output(), actual.outputs, compareValue);
  each(expected.value_info(), actual.valueInfo, compareValue);
  each(expected.quantization_annotation(), actual.quantization,
       [&](const pb::TensorAnnotation &a, const TensorAnnotation &b) {
         EXPECT_EQ(a.tensor_name(), b.tensorName.str());
         each(a.quant_parameter_tensor_names(), b.parameters,
              [&](const auto &x, const auto &y) { pair(x, y); });
       });
}

/// In the file's order, which ours may have left.
template <typename Protos>
void Comparison::nodes(const Protos &expected, llvm::ArrayRef<Node> actual) {
  ASSERT_EQ(size_t(expected.size()), actual.size());
  for (const Node &each : actual)
    node(expected.Get(static_cast<int>(each.index)), each);
}

void Comparison::node(const pb::NodeProto &expected, const Node &actual) {
  SCOPED_TRACE(describe(actual));
  EXPECT_EQ(expected.name(), actual.name.str());
  EXPECT_EQ(expected.op_type(), actual.opType.str());
  EXPECT_EQ(domainOf(expected.domain()), actual.domain.str());
  strings(expected.input(), actual.inputs);
  strings(expected.output(), actual.outputs);
  each(expected.attribute(), actual.attributes,
       [&](const auto &a, const auto &b) { attribute(a, b); });
}

void Comparison::attribute(const pb::AttributeProto &expected,
                           const Attribute &actual) {
  SCOPED_TRACE(expected.name());
  EXPECT_EQ(expected.name(), actual.name.str());
  EXPECT_EQ(expected.ref_attr_name(), actual.refAttrName.str());
  EXPECT_EQ(int(expected.type()), int(actual.kind));
  EXPECT_EQ(expected.f(), actual.f);
  EXPECT_EQ(expected.i(), actual.i);
  EXPECT_EQ(expected.s(), actual.s.str());
  ASSERT_EQ(expected.has_t(), actual.tensor != nullptr);
  if (expected.has_t())
    tensor(expected.t(), *actual.tensor);
  ASSERT_EQ(expected.has_g(), actual.graph != nullptr);
  if (expected.has_g())
    graph(expected.g(), *actual.graph);
  ASSERT_EQ(expected.has_sparse_tensor(), actual.sparseTensor != nullptr);
  if (expected.has_sparse_tensor())
    sparse(expected.sparse_tensor(), *actual.sparseTensor);
  ASSERT_EQ(expected.has_tp(), actual.type != nullptr);
  if (expected.has_tp())
    type(expected.tp(), *actual.type);
  scalars(expected.floats(), actual.floats);
  scalars(expected.ints(), actual.ints);
  strings(expected.strings(), actual.strings);
  each(expected.tensors(), actual.tensors,
       [&](const auto &a, const auto *b) { tensor(a, *b); });
  each(expected.graphs(), actual.graphs,
       [&](const auto &a, const auto *b) { graph(a, *b); });
  each(expected.sparse_tensors(), actual.sparseTensors,
       [&](const auto &a, const auto *b) { sparse(a, *b); });
  each(expected.type_protos(), actual.types,
       [&](const auto &a, const auto *b) { type(a, *b); });
}

void Comparison::tensor(const pb::TensorProto &expected,
                        const TensorRef &actual) {
  SCOPED_TRACE(expected.name());
  EXPECT_EQ(expected.name(), actual.name.str());
  EXPECT_EQ(expected.data_type(), int(actual.elementType));
  scalars(expected.dims(), actual.dims);
  if (expected.has_raw_data()) {
    EXPECT_EQ(expected.raw_data(), readElements(file, actual));
  }
  if (expected.int64_data_size() != 0) {
    EXPECT_EQ(std::string(
                  reinterpret_cast<const char *>(expected.int64_data().data()),
                  expected.int64_data_size() * sizeof(int64_t)),
              readElements(file, actual));
  }
  if (expected.float_data_size() != 0) {
    EXPECT_EQ(std::string(
                  reinterpret_cast<const char *>(expected.float_data().data()),
                  expected.float_data_size() * sizeof(float)),
              readElements(file, actual));
  }
}

void Comparison::sparse(const pb::SparseTensorProto &expected,
                        const SparseTensor &actual) {
  tensor(expected.values(), actual.values);
  tensor(expected.indices(), actual.indices);
  scalars(expected.dims(), actual.dims);
}

void Comparison::value(const pb::ValueInfoProto &expected,
                       const ValueInfo &actual) {
  SCOPED_TRACE(expected.name());
  EXPECT_EQ(expected.name(), actual.name.str());
  type(expected.type(), actual.type);
}

void Comparison::type(const pb::TypeProto &expected, const Type &actual) {
  switch (expected.value_case()) {
  case pb::TypeProto::kTensorType:
    EXPECT_EQ(actual.kind, Type::Kind::Tensor);
    EXPECT_EQ(expected.tensor_type().elem_type(), int(actual.elementType));
    EXPECT_EQ(expected.tensor_type().has_shape(), actual.hasShape);
    return shape(expected.tensor_type().shape(), actual);
  case pb::TypeProto::kSparseTensorType:
    EXPECT_EQ(actual.kind, Type::Kind::SparseTensor);
    EXPECT_EQ(expected.sparse_tensor_type().elem_type(),
              int(actual.elementType));
    return shape(expected.sparse_tensor_type().shape(), actual);
  case pb::TypeProto::kSequenceType:
    ASSERT_EQ(actual.kind, Type::Kind::Sequence);
    return type(expected.sequence_type().elem_type(), *actual.element);
  case pb::TypeProto::kOptionalType:
    ASSERT_EQ(actual.kind, Type::Kind::Optional);
    return type(expected.optional_type().elem_type(), *actual.element);
  case pb::TypeProto::kMapType:
    ASSERT_EQ(actual.kind, Type::Kind::Map);
    EXPECT_EQ(expected.map_type().key_type(), int(actual.keyType));
    return type(expected.map_type().value_type(), *actual.element);
  default:
    EXPECT_EQ(actual.kind, Type::Kind::None);
  }
}

void Comparison::shape(const pb::TensorShapeProto &expected,
                       const Type &actual) {
  each(expected.dim(), actual.dims,
       [](const pb::TensorShapeProto::Dimension &a, const Dim &b) {
         EXPECT_EQ(a.has_dim_value(), b.value.has_value());
         EXPECT_EQ(a.dim_value(), b.value.value_or(0));
         EXPECT_EQ(a.dim_param(), b.param.str());
         EXPECT_EQ(a.denotation(), b.denotation.str());
       });
}

void Comparison::pair(const pb::StringStringEntryProto &expected,
                      const StringPair &actual) {
  EXPECT_EQ(expected.key(), actual.key.str());
  EXPECT_EQ(expected.value(), actual.value.str());
}

static void compareBytes(const std::string &bytes) {
  pb::ModelProto expected;
  ASSERT_TRUE(expected.ParseFromString(bytes));
  ParsedModel actual(bytes);
  ASSERT_EQ(actual.error, "");
  Comparison(*actual.file).model(expected, actual.file->model());
}

/// Sets every field of each kind of attribute.
static void addAttributes(pb::NodeProto &node) {
  auto add = [&](const char *name, pb::AttributeProto::AttributeType type) {
    pb::AttributeProto *attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(type);
    return attribute;
  };
  auto fillTensor = [](pb::TensorProto *tensor) {
    tensor->add_dims(2);
    tensor->set_data_type(pb::TensorProto::INT64);
    tensor->add_int64_data(-5);
    tensor->add_int64_data(1ll << 60);
  };
  auto fillType = [](pb::TypeProto *type) {
    pb::TypeProto_Map *map = type->mutable_map_type();
    map->set_key_type(pb::TensorProto::STRING);
    map->mutable_value_type()
        ->mutable_sequence_type()
        ->mutable_elem_type()
        ->mutable_optional_type()
        ->mutable_elem_type()
        ->mutable_sparse_tensor_type()
        ->set_elem_type(pb::TensorProto::DOUBLE);
  };
  auto fillSparse = [&](pb::SparseTensorProto *sparse) {
    fillTensor(sparse->mutable_values());
    fillTensor(sparse->mutable_indices());
    sparse->add_dims(100);
  };
  add("f", pb::AttributeProto::FLOAT)->set_f(-0.5f);
  add("i", pb::AttributeProto::INT)->set_i(INT64_MIN);
  add("s", pb::AttributeProto::STRING)->set_s(std::string("a\0b", 3));
  fillTensor(add("t", pb::AttributeProto::TENSOR)->mutable_t());
  add("g", pb::AttributeProto::GRAPH)->mutable_g()->set_name("inner");
  fillSparse(
      add("st", pb::AttributeProto::SPARSE_TENSOR)->mutable_sparse_tensor());
  fillType(add("tp", pb::AttributeProto::TYPE_PROTO)->mutable_tp());
  pb::AttributeProto *floats = add("floats", pb::AttributeProto::FLOATS);
  pb::AttributeProto *ints = add("ints", pb::AttributeProto::INTS);
  pb::AttributeProto *strings = add("strings", pb::AttributeProto::STRINGS);
  for (int i = -2; i < 3; ++i) {
    floats->add_floats(static_cast<float>(i) / 4);
    ints->add_ints(int64_t(i) * (1ll << 40));
    strings->add_strings(std::string(i + 2, 'x'));
  }
  pb::AttributeProto *tensors = add("tensors", pb::AttributeProto::TENSORS);
  fillTensor(tensors->add_tensors());
  fillTensor(tensors->add_tensors());
  add("graphs", pb::AttributeProto::GRAPHS)->add_graphs()->set_name("g0");
  fillSparse(
      add("sts", pb::AttributeProto::SPARSE_TENSORS)->add_sparse_tensors());
  fillType(add("tps", pb::AttributeProto::TYPE_PROTOS)->add_type_protos());
}

static pb::ModelProto everyField() {
  pb::ModelProto model;
  model.set_ir_version(8);
  model.set_producer_name("producer");
  model.set_producer_version("1.2");
  model.set_domain("some.domain");
  model.set_model_version(-3);
  model.set_doc_string("doc");
  pb::OperatorSetIdProto *opset = model.add_opset_import();
  opset->set_domain("");
  opset->set_version(17);
  pb::StringStringEntryProto *metadata = model.add_metadata_props();
  metadata->set_key("key");
  metadata->set_value("value");

  pb::FunctionProto *function = model.add_functions();
  function->set_name("F");
  function->set_domain("local");
  function->add_input("a");
  function->add_output("b");
  function->add_attribute("alpha");
  *function->add_opset_import() = *opset;
  pb::NodeProto *inner = function->add_node();
  inner->set_op_type("Elu");
  inner->add_input("a");
  inner->add_output("b");
  pb::AttributeProto *reference = inner->add_attribute();
  reference->set_name("alpha");
  reference->set_ref_attr_name("alpha");
  reference->set_type(pb::AttributeProto::FLOAT);

  pb::GraphProto *graph = model.mutable_graph();
  graph->set_name("graph");
  pb::ValueInfoProto *input = graph->add_input();
  input->set_name("x");
  pb::TypeProto_Tensor *type = input->mutable_type()->mutable_tensor_type();
  type->set_elem_type(pb::TensorProto::FLOAT16);
  type->mutable_shape()->add_dim()->set_dim_param("batch");
  type->mutable_shape()->add_dim()->set_dim_value(0);
  type->mutable_shape()->add_dim()->set_denotation("DATA_CHANNEL");
  pb::NodeProto *node = graph->add_node();
  node->set_name("n");
  node->set_op_type("Op");
  node->set_domain("local");
  node->add_input("x");
  node->add_input("");
  node->add_output("y");
  addAttributes(*node);
  graph->add_output()->set_name("y");
  *graph->add_value_info() = *input;
  pb::SparseTensorProto *sparse = graph->add_sparse_initializer();
  *sparse = node->attribute(5).sparse_tensor();
  sparse->mutable_values()->set_name("sparse");
  pb::TensorAnnotation *annotation = graph->add_quantization_annotation();
  annotation->set_tensor_name("x");
  *annotation->add_quant_parameter_tensor_names() = *metadata;
  return model;
}

TEST(Schema, EveryFieldOfDebiansSchemaIsReadAlike) {
  compareBytes(everyField().SerializeAsString());
}

/// The models are what exporters really write.
TEST(Schema, ExportedModelsAreReadAlike) {
  std::error_code ec;
  unsigned count = 0;
  for (llvm::sys::fs::directory_iterator file(TXC_TEST_MODELS, ec), end;
       file != end && !ec; file.increment(ec)) {
    if (llvm::sys::path::extension(file->path()) != ".onnx")
      continue;
    SCOPED_TRACE(file->path());
    auto buffer = llvm::MemoryBuffer::getFile(file->path());
    ASSERT_TRUE(bool(buffer));
    compareBytes((*buffer)->getBuffer().str());
    ++count;
  }
  EXPECT_FALSE(ec) << ec.message();
  EXPECT_GT(count, 0u);
}

static std::unique_ptr<OnnxFile> openInput(const char *name) {
  llvm::SmallString<128> path(TXC_TEST_INPUTS);
  llvm::sys::path::append(path, name);
  llvm::Expected<std::unique_ptr<OnnxFile>> file = OnnxFile::open(path);
  if (file)
    return std::move(*file);
  ADD_FAILURE() << llvm::toString(file.takeError());
  return nullptr;
}

TEST(Schema, TypedFieldsOfEveryElementTypeDecodeToTheRawBytes) {
  std::unique_ptr<OnnxFile> file = openInput("element-types.onnx");
  ASSERT_TRUE(file);
  llvm::ArrayRef<TensorRef> tensors = file->model().graph.initializers;
  ASSERT_EQ(tensors.size(), 2 * 27u);
  for (size_t i = 0; i < tensors.size(); i += 2) {
    llvm::StringRef name = elementTypeName(tensors[i].elementType);
    SCOPED_TRACE(name.str());
    EXPECT_EQ(tensors[i].name, name.str() + ".raw");
    EXPECT_EQ(tensors[i + 1].name, name.str() + ".typed");
    EXPECT_EQ(readElements(*file, tensors[i]),
              readElements(*file, tensors[i + 1]));
  }
}

TEST(Schema, FieldsThatDebiansSchemaDoesNotKnow) {
  std::unique_ptr<OnnxFile> file = openInput("newest-fields.onnx");
  ASSERT_TRUE(file);
  const Model &model = file->model();
  const Node &call = model.graph.nodes[0];
  EXPECT_EQ(call.overload, "fast");
  ASSERT_EQ(call.metadata.size(), 1u);
  EXPECT_EQ(call.metadata[0].value, "layer.0");
  EXPECT_EQ(model.graph.metadata[0].key, "graph");
  EXPECT_EQ(model.graph.inputs[0].metadata[0].key, "input");
  EXPECT_EQ(model.graph.inputs[0].type.elementType, ElementType::Float6E3M2);
  EXPECT_EQ(model.graph.initializers[0].metadata[0].key, "tensor");
  EXPECT_EQ(model.graph.initializers[0].elementType, ElementType::UInt2);

  const Function *function =
      model.findFunction(call.domain, call.opType, call.overload);
  ASSERT_TRUE(function);
  EXPECT_THAT(function->requiredAttributes, ElementsAre("required"));
  ASSERT_EQ(function->defaultAttributes.size(), 1u);
  EXPECT_EQ(function->defaultAttributes[0].name, "alpha");
  EXPECT_EQ(function->defaultAttributes[0].f, 0.5f);
  EXPECT_EQ(function->valueInfo[0].type.elementType, ElementType::Float4E2M1);
  EXPECT_EQ(function->metadata[0].value, "test");
}
