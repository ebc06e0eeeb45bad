"""Which set and family a case belongs to, and why it is not in `core`.

By the operator that the case tests, then by its element types. A case of a
function body (`*_expanded`) is judged like the operator it expands.
"""
import re

CORE, WIDER, OUT = "core", "wider", "out"
RANK = {CORE: 0, WIDER: 1, OUT: 2}

# (set, family, reason, operators)
RULES = [
    (CORE, "attention", "", """Attention RotaryEmbedding TensorScatter
        LinearAttention CausalConvWithState"""),
    (CORE, "normalization", "", """LayerNormalization RMSNormalization
        GroupNormalization InstanceNormalization BatchNormalization
        LpNormalization"""),
    (CORE, "activation", "", """Gelu Swish Mish SwiGLU Relu LeakyRelu PRelu Elu
        Sigmoid Tanh HardSwish HardSigmoid Softplus Softmax LogSoftmax Erf
        Clip"""),
    (CORE, "matmul", "", "MatMul Gemm Einsum"),
    (CORE, "quantization", "", """MatMulInteger QLinearMatMul ConvInteger
        QLinearConv DynamicQuantizeLinear QuantizeLinear DequantizeLinear"""),
    (CORE, "conv", "", "Conv ConvTranspose"),
    (CORE, "pool", "", "AveragePool MaxPool GlobalAveragePool GlobalMaxPool"),
    (CORE, "reduction", "", """ReduceMax ReduceMean ReduceMin ReduceProd
        ReduceSum ReduceSumSquare ReduceL1 ReduceL2 ReduceLogSumExp
        ReduceLogSum ArgMax ArgMin CumSum"""),
    (CORE, "indexing", "", """Gather GatherElements GatherND Scatter
        ScatterElements ScatterND TopK OneHot NonZero Where Compress Trilu"""),
    (CORE, "shape", "", """Shape Size Reshape Flatten Squeeze Unsqueeze
        Transpose Concat Split Slice Expand Tile Pad Range Constant
        ConstantOfShape Identity EyeLike DepthToSpace SpaceToDepth"""),
    (CORE, "elementwise", "", """Add Sub Mul Div Neg Abs Sqrt Exp Log Pow
        Reciprocal Sin Cos Floor Ceil Round Sign Min Max Mod Sum Mean Equal
        Greater GreaterOrEqual Less LessOrEqual And Or Not IsNaN IsInf
        Dropout"""),
    (CORE, "cast", "", "Cast CastLike"),
    (CORE, "control-flow", "", "If Loop Scan"),
    (CORE, "audio", "", "STFT DFT MelWeightMatrix HannWindow HammingWindow"),
    (CORE, "image", "", "Resize Upsample"),
    (WIDER, "attention", "preview domain, body graphs as attributes",
     "ai.onnx.preview::FlexAttention"),
    (WIDER, "cast", "new in opset 26, in no exporter yet", "BitCast"),
    (WIDER, "activation", "rare in transformers", """Celu Selu Softsign
        ThresholdedRelu Shrink Hardmax"""),
    (WIDER, "elementwise", "rare in transformers", """Acos Acosh Asin Asinh Atan
        Atanh Cosh Sinh Tan Xor BitShift BitwiseAnd BitwiseNot BitwiseOr
        BitwiseXor"""),
    (WIDER, "reduction", "rare in transformers", "CumProd"),
    (WIDER, "normalization", "of old convolutional networks",
     "LRN MeanVarianceNormalization"),
    (WIDER, "pool", "of old convolutional networks", "LpPool MaxUnpool"),
    (WIDER, "conv", "deformable convolutions only", "DeformConv Col2Im"),
    (WIDER, "image", "deformable vision models only",
     "GridSample AffineGrid CenterCropPad"),
    (WIDER, "indexing", "rare in transformers", "Unique ReverseSequence"),
    (WIDER, "recurrent", "recurrent networks", "LSTM GRU RNN"),
    (WIDER, "audio", "rare in transformers", "BlackmanWindow"),
    (WIDER, "linear-algebra", "rare in transformers", "Det"),
    (WIDER, "shape", "not an ONNX operator", "ATen"),
    (OUT, "string", "string tensors", """StringConcat StringNormalizer
        StringSplit RegexFullMatch TfIdfVectorizer"""),
    (OUT, "sequence", "sequence and optional types", """SequenceInsert
        SequenceMap SplitToSequence SequenceEmpty SequenceConstruct SequenceAt
        SequenceErase SequenceLength ConcatFromSequence OptionalGetElement
        OptionalHasElement Optional"""),
    (OUT, "training", "training", """ai.onnx.preview.training::Adagrad
        ai.onnx.preview.training::Adam ai.onnx.preview.training::Momentum
        ai.onnx.preview.training::Gradient NegativeLogLikelihoodLoss
        SoftmaxCrossEntropyLoss"""),
    (OUT, "detection", "post-processing of detectors",
     "NonMaxSuppression RoiAlign MaxRoiPool"),
    (OUT, "image-file", "decodes image files", "ImageDecoder"),
    (OUT, "random", "random results", """Bernoulli RandomNormal
        RandomNormalLike RandomUniform RandomUniformLike Multinomial"""),
    (OUT, "classical", "classical machine learning", """
        ai.onnx.ml::ArrayFeatureExtractor ai.onnx.ml::Binarizer
        ai.onnx.ml::LabelEncoder ai.onnx.ml::TreeEnsemble"""),
]
OPERATORS = {op: (s, family, reason) for s, family, reason, ops in RULES
             for op in ops.split()}
UNKNOWN = (OUT, "other", "operator in no list")

# Cases of an operator with a body, whose own operators come first by name.
WITH_BODY = ("If", "Loop", "Scan", "SequenceMap",
             "ai.onnx.preview::FlexAttention")
ARITHMETIC = set("""Add Sub Mul Div Neg Abs Pow Min Max Mod Equal Greater
    GreaterOrEqual Less LessOrEqual Clip Sum Mean Sign""".split())
COMMON_TYPES = {"float", "int64", "int32", "float16", "bfloat16"}
RARE_TYPES = {"int8", "int16", "uint8", "uint16", "uint32", "uint64", "double"}
EXOTIC_TYPE = re.compile(r"fnuz|float8e8m0|float4e2m1|^u?int2$")


def tested_operator(kind, operators):
    if kind == "node":
        return next((op for op in operators if op in WITH_BODY), operators[0])

    def weight(op):
        group, family, _ = OPERATORS.get(op, UNKNOWN)
        return RANK[group], family not in ("shape", "elementwise")

    return max(operators, key=weight)


def classify(kind, name, operators, types):
    """(set, family, operator, reason) of a case.

    operators: sorted, with the domain unless it is ONNX's own. types: those of
    inputs and outputs, "float:3" being a tensor of rank 3.
    """
    op = tested_operator(kind, operators)
    group, family, reason = OPERATORS.get(op, UNKNOWN)
    elements = {t.split(":")[0] for t in types}

    def at_least(other, why):
        nonlocal group, reason
        if RANK[other] > RANK[group]:
            group, reason = other, why

    if elements & {"sequence", "optional", "map"}:
        at_least(OUT, "sequence and optional types")
    if "string" in elements:
        at_least(OUT, "string tensors")
    if "training_dropout" in name or ("batchnorm_" in name
                                      and "training_mode" in name):
        at_least(OUT, "training")
    if any(EXOTIC_TYPE.search(e) for e in elements):
        at_least(WIDER, "element types no exporter writes")
    if op in ARITHMETIC and elements & RARE_TYPES \
            and not elements & COMMON_TYPES:
        at_least(WIDER, "element types rare for this operator")
    if family in ("conv", "pool") and any(t.endswith(":5") for t in types):
        at_least(WIDER, "three spatial dims")
    return group, family, op, reason if group != CORE else ""
